//! The program: arguments in, exit code out.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use citydesk::cli::{self, exit::Exit, log, say};
use clap::{CommandFactory as _, Parser, Subcommand};
use clap_complete::Shell;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Watches the news of a region and republishes it: one clean feed per city.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    /// Configuration; ./feeds.toml, then /etc/citydesk/feeds.toml, if not named.
    #[arg(long, short, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// human or json; json unless stderr is a terminal.
    #[arg(long, global = true, value_name = "FORM", value_parser = ["human", "json"])]
    log_format: Option<String>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The daemon: poll, merge, store, republish (also without any command).
    #[command(alias = "run")]
    Serve,
    /// A bundled sample region from a built-in origin; works without internet.
    Demo {
        /// Where to listen; a free port from 8080 on, if not given.
        #[arg(long, value_name = "ADDRESS")]
        listen: Option<SocketAddr>,
    },
    /// Polls every due source once, applies, exits.
    #[command(alias = "fetch")]
    Once {
        /// Also writes all feeds, pages and lists below this folder: a site for any static host.
        #[arg(long, value_name = "DIR")]
        output: Option<PathBuf>,
        /// Asks sources that are not due, too.
        #[arg(long)]
        all: bool,
        /// Prints the outcome as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Reports every problem of feeds.toml, then asks each source and judges it.
    #[command(alias = "validate")]
    Check {
        /// Only this source.
        id: Option<String>,
        /// Reads the file only.
        #[arg(long)]
        offline: bool,
        /// Prints JSON.
        #[arg(long)]
        json: bool,
    },
    /// Finds what a site offers (feeds, sitemaps, lists on its pages) and prints the blocks to paste.
    #[command(alias = "discover")]
    Add {
        /// Address of the site, or of one of its pages or feeds.
        url: String,
        /// Appends the first block to feeds.toml.
        #[arg(long)]
        write: bool,
        /// Appends this one of the blocks instead.
        #[arg(long, value_name = "NUMBER", requires = "write", default_value_t = 1)]
        pick: usize,
        /// Prints JSON.
        #[arg(long)]
        json: bool,
    },
    /// Shows what citydesk would make of an address, a file or a source, or what a query matches in the store.
    Try {
        /// Address, file, source id or query.
        #[arg(allow_hyphen_values = true)]
        target: String,
        /// Prints JSON.
        #[arg(long)]
        json: bool,
    },
    /// Explains a story: copies and why they are one, date, cities, tags, feeds.
    Why {
        /// Story: guid, address of its page, address or guid of a copy.
        story: String,
        /// Another one: why are the two one story, or why not?
        #[arg(value_name = "OTHER")]
        with: Option<String>,
        /// Prints JSON.
        #[arg(long)]
        json: bool,
    },
    /// Makes stories one that the desk sees as several; held for good.
    Join {
        /// Stories: guid, address of the page, address of a copy.
        #[arg(required = true, num_args = 2.., value_name = "STORY")]
        stories: Vec<String>,
    },
    /// Makes copies another story than the rest; held for good.
    Split {
        /// Story: guid, address of the page; or the address of the copy that is another story.
        story: String,
        /// Copies that are another story: number in `why`, source, address. The second of two, if not named.
        #[arg(value_name = "COPY")]
        copies: Vec<String>,
    },
    /// Takes stories out of everything, for good.
    Spike {
        /// They were taken out by mistake: back to pages and archives, where they stood; no feed shows them as new.
        #[arg(long)]
        undo: bool,
        /// Stories: guid, address of the page, address of a copy.
        #[arg(required = true, value_name = "STORY")]
        stories: Vec<String>,
    },
    /// Prints the feeds of an OPML list as blocks for feeds.toml.
    Import {
        /// The list, as a reader exports it.
        file: std::path::PathBuf,
    },
    /// Writes the archive to stdout.
    Export {
        /// jsonl, csv or opml.
        #[arg(long, default_value = "jsonl", value_parser = ["jsonl", "csv", "opml"])]
        format: String,
    },
    /// Sources by state, sizes, lag.
    #[command(alias = "status")]
    Stats {
        /// Prints JSON.
        #[arg(long)]
        json: bool,
    },
    /// Writes a consistent snapshot of the desk into one file, also while the daemon runs.
    Backup {
        /// Where to; it has this name only once it is whole.
        file: std::path::PathBuf,
    },
    /// Makes the desk of a backup: same stories, ids and feeds. There must be none yet where [store] path points.
    Restore {
        /// The backup.
        file: std::path::PathBuf,
    },
    /// Makes the store again from the ledger.
    Rebuild,
    /// Has the running daemon read feeds.toml again; prints the outcome.
    Reload,
    /// What a reload of feeds.toml would do: sources, and the feeds that gain or lose stories.
    Diff {
        /// Prints JSON.
        #[arg(long)]
        json: bool,
    },
    /// Looks at feeds.toml, disk, clock, journal, store and address, and says what to do.
    Doctor {
        /// Prints JSON.
        #[arg(long)]
        json: bool,
    },
    /// Is the daemon ready? Exit 0 or 69.
    Health {
        /// http://host:port; from feeds.toml if not given.
        url: Option<String>,
    },
    /// Shows how feeds.toml would be tidied, with the addresses that sources have moved to; comments stay.
    #[command(alias = "format")]
    Fmt {
        /// Writes it.
        #[arg(long)]
        write: bool,
    },
    /// Prints a JSON Schema of feeds.toml, for editors.
    Schema,
    /// Prints a script that completes commands in this shell.
    Completions {
        /// bash, elvish, fish, powershell or zsh.
        shell: Shell,
    },
    /// Prints the manual page: `citydesk man | man -l -`.
    Man,
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are no errors and go to stdout.
            let exit = if error.use_stderr() { Exit::Usage } else { Exit::Fine };
            // A closed pipe is not worth a second message.
            let _ = error.print();
            return exit.into();
        }
    };
    let command = arguments.command.unwrap_or(Command::Serve);
    let daemon = matches!(command, Command::Serve | Command::Demo { .. });
    log::start(log::Form::choose(arguments.log_format.as_deref()), !daemon);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return Exit::Unavailable.failed(error).into(),
    };
    let config = cli::locate::config(arguments.config);
    let exit = match command {
        Command::Serve => cli::serve::run(&runtime, &config),
        Command::Demo { listen } => cli::demo::run(&runtime, listen),
        Command::Once { output, all, json } => {
            cli::once::run(&runtime, &config, cli::once::Options { all, output: output.as_deref(), json })
        }
        Command::Check { id, offline, json } => cli::check::run(&runtime, &config, id.as_deref(), offline, json),
        Command::Add { url, write, pick, json } => {
            let options = cli::add::Options { write: write.then_some(pick), json };
            cli::add::run(&runtime, &config, &url, options)
        }
        Command::Try { target, json } => cli::tryout::run(&runtime, &config, &target, json),
        Command::Why { story, with, json } => cli::why::run(&runtime, &config, story, with, json),
        Command::Join { stories } => cli::join::run(&runtime, &config, stories),
        Command::Split { story, copies } => cli::split::run(&runtime, &config, story, copies),
        Command::Spike { stories, undo } => cli::spike::run(&runtime, &config, stories, undo),
        Command::Import { file } => cli::import::run(&config, &file),
        Command::Export { format } => cli::export::run(&runtime, &config, &format),
        Command::Stats { json } => cli::stats::run(&runtime, &config, json),
        Command::Backup { file } => cli::backup::run(&runtime, &config, &file),
        Command::Restore { file } => cli::restore::run(&config, &file),
        Command::Rebuild => cli::rebuild::run(&runtime, &config),
        Command::Reload => cli::reload::run(&runtime, &config),
        Command::Health { url } => cli::health::run(&runtime, &config, url.as_deref()),
        Command::Fmt { write } => cli::fmt::run(&runtime, &config, write),
        Command::Schema => cli::schema::run(),
        Command::Diff { json } => cli::diff::run(&runtime, &config, json),
        Command::Doctor { json } => cli::doctor::run(&runtime, &config, json),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "citydesk", &mut script);
            say::out(String::from_utf8_lossy(&script), Exit::Fine)
        }
        Command::Man => manual(),
    };
    runtime.shutdown_background();
    exit.into()
}

/// The manual page in troff, every command in one.
fn manual() -> Exit {
    let program = Arguments::command();
    let mut page = Vec::new();
    let written = clap_mangen::Man::new(program.clone()).render(&mut page).and_then(|()| {
        let shown = program.get_subcommands().filter(|command| !command.is_hide_set());
        shown.cloned().try_for_each(|command| {
            let name = command.get_name().to_uppercase();
            let man = clap_mangen::Man::new(command);
            page.extend_from_slice(format!(".SH \"CITYDESK {name}\"\n").as_bytes());
            man.render_synopsis_section(&mut page)?;
            man.render_description_section(&mut page)?;
            man.render_options_section(&mut page)
        })
    });
    match written {
        Ok(()) => say::out(String::from_utf8_lossy(&page), Exit::Fine),
        Err(error) => Exit::Io.failed(error),
    }
}
