namespace PgPool.Tests.Integration.Faults;

/// <summary>What happens to sessions, or to those who want one.</summary>
public enum Fault
{
    /// <summary>An administrator ends the backend: pg_terminate_backend.</summary>
    BackendTerminated,

    /// <summary>The network resets the connection.</summary>
    SocketCut,

    /// <summary>Nothing comes back any more, neither on connections that exist nor on new ones. Lasts until it is cured.</summary>
    ServerDeaf,

    /// <summary>New connects are refused; connections that exist go on. Lasts until it is cured.</summary>
    ServerRefusing,

    /// <summary>The server is stopped and started: all its sessions are gone.</summary>
    ServerRestarted,

    /// <summary>The server shows a certificate that its clients do not trust; sessions that exist go on. Lasts until it is cured.</summary>
    CertificateWrong,
}
