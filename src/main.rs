//! The program: reads the arguments, runs the command, and returns its exit code.

use std::process::ExitCode;

use andon::words::Outcome;

fn main() -> ExitCode {
    andon::ambient::make_files_private();
    let args = match andon::cli::arguments(std::env::args_os()) {
        Ok(args) => args,
        Err(code) => return ExitCode::from(code),
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(e) => {
            anstream::eprintln!("error: cannot start the runtime: {e}");
            return ExitCode::from(Outcome::OwnFailure.exit_code());
        }
    };
    let outcome = runtime.block_on(andon::cli::run(args));
    // A thread that hangs in a damaged store must not prevent the end of the process.
    runtime.shutdown_background();
    ExitCode::from(outcome.exit_code())
}
