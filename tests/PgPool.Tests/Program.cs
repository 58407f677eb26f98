using PgPool.Tests.Integration;
using PgPool.Tests.Soak;
using Xunit.Runner.InProc.SystemConsole;

// The tests run as they would without this file, from dotnet test too. What cannot be a test has a command.
return args switch
{
    [SoakCommand.Name, .. var options] => await SoakCommand.RunAsync(options),
    [IdlePoolProgram.Name, .. var rest] => await IdlePoolProgram.RunAsync(rest),
    _ => await ConsoleRunner.Run(args),
};
