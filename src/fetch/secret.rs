//! Secrets, resolved when a request is made and never shown.

use crate::model::source::Secret;

use super::FetchError;

/// Longest secret read from a file, in bytes.
const LONGEST: u64 = 64 * 1024;

/// The value of an environment variable.
pub fn environment(name: &str) -> Result<String, FetchError> {
    std::env::var(name).map_err(|error| {
        let why = match error {
            std::env::VarError::NotPresent => "set it in the environment of citydesk",
            std::env::VarError::NotUnicode(_) => "the environment variable is not UTF-8",
        };
        FetchError::Secret { name: name.to_owned(), why: why.to_owned() }
    })
}

/// The value of a secret.
pub async fn resolve(secret: &Secret) -> Result<String, FetchError> {
    match secret {
        Secret::Plain(value) => Ok(value.clone()),
        Secret::Env(name) => environment(name),
        Secret::File(path) => {
            let trouble = |why: String| FetchError::Secret { name: path.display().to_string(), why };
            let size = tokio::fs::metadata(path).await.map_err(|error| trouble(error.to_string()))?.len();
            if size > LONGEST {
                return Err(trouble(format!("the file has {size} bytes; a secret has at most {LONGEST}")));
            }
            let text = tokio::fs::read_to_string(path).await.map_err(|error| trouble(error.to_string()))?;
            Ok(text.strip_suffix('\n').map_or(text.as_str(), |t| t.strip_suffix('\r').unwrap_or(t)).to_owned())
        }
    }
}
