using PgPool.Migration.Tests.Copying;
using PgPool.Migration.Tests.Processes;
using Xunit.Runner.InProc.SystemConsole;

// The tests run as they would without this file, from dotnet test too. What must be a process of its own has a command.
return args switch
{
    [MemoryProgram.Name, .. var tables] => await MemoryProgram.RunAsync(tables),
    [CopyProgram.Name, .. var arguments] => await CopyProgram.RunAsync(arguments),
    _ => await ConsoleRunner.Run(args),
};
