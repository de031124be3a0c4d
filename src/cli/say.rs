//! What a command prints on stdout: data for people and pipes.

use std::fmt::Display;
use std::io::{ErrorKind, Write};

use super::exit::Exit;

/// Prints on stdout and returns how the command ends: as it would, or with [`Exit::Io`], said, if stdout cannot be
/// written. Who closes a pipe early has enough, as `head` does: that is no failure.
#[must_use]
pub fn out(text: impl Display, exit: Exit) -> Exit {
    onto(std::io::stdout().lock(), text, exit)
}

fn onto(mut to: impl Write, text: impl Display, exit: Exit) -> Exit {
    match write!(to, "{text}").and_then(|()| to.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Exit::Io.failed(format!("stdout cannot be written: {error}"))
        }
        _ => exit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Broken(ErrorKind);

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_closed_pipe_is_no_failure_and_a_full_disk_is() {
        assert_eq!(onto(Vec::new(), "x", Exit::Fine), Exit::Fine);
        assert_eq!(onto(Broken(ErrorKind::BrokenPipe), "x", Exit::Config), Exit::Config);
        assert_eq!(onto(Broken(ErrorKind::StorageFull), "x", Exit::Fine), Exit::Io);
    }
}
