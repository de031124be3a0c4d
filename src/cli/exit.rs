//! Exit codes, after sysexits.h: a script can tell a typing error from a dead network.

use crate::app::AppError;
use crate::app::folder::FolderError;
use crate::control::ControlError;

/// How a command ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done; also a drained stop.
    Fine = 0,
    /// The command line is wrong.
    Usage = 64,
    /// Input data is wrong.
    Data = 65,
    /// A source, a daemon or a service does not answer.
    Unavailable = 69,
    /// A file cannot be made.
    CannotCreate = 73,
    /// Reading or writing failed.
    Io = 74,
    /// feeds.toml is wrong.
    Config = 78,
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl Exit {
    /// Prints why a command failed, and returns how it ends.
    #[must_use]
    pub fn failed(self, why: impl std::fmt::Display) -> Self {
        eprintln!("error: {why}");
        self
    }
}

impl From<&AppError> for Exit {
    fn from(error: &AppError) -> Self {
        match error {
            AppError::Folder(error) => error.into(),
            AppError::Log(_) | AppError::Editor(_) => Self::Io,
            AppError::Listen(..) | AppError::System(..) => Self::Unavailable,
        }
    }
}

impl From<&FolderError> for Exit {
    fn from(error: &FolderError) -> Self {
        match error {
            FolderError::None(_) | FolderError::Held { .. } => Self::Unavailable,
            FolderError::Io { .. } | FolderError::Taken(_) | FolderError::Half(_) => Self::CannotCreate,
            FolderError::Backup(_) => Self::Data,
            FolderError::Journal(_) | FolderError::Store(_) | FolderError::Replay(_) => Self::Io,
        }
    }
}

impl From<&ControlError> for Exit {
    fn from(error: &ControlError) -> Self {
        if matches!(error, ControlError::Taken(_)) { Self::Io } else { Self::Unavailable }
    }
}
