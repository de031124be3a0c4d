//! `citydesk demo`: a sample region of three cities, served from a built-in origin on loopback; needs no internet.

mod manner;
mod origin;
mod tape;

use std::fmt::Write as _;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::exit::Exit;
use super::{locate, say};
use crate::app;
use crate::app::folder::Folder;
use crate::clock::{self, Clock};
use crate::model::time::Time;

/// The port tried first; the next ones follow.
const PORT: u16 = 8080;
/// So many ports are tried.
const PORTS: u16 = 20;

/// What keeps the demo from starting.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// No socket for the origin.
    #[error("cannot open a port on 127.0.0.1 for the sample sources: {0}")]
    Origin(#[source] io::Error),
    /// No port for the desk.
    #[error("cannot listen on {0}: {1}; choose another with --listen 127.0.0.1:PORT")]
    Listen(SocketAddr, #[source] io::Error),
    /// No place for the store.
    #[error("cannot write the demo's folder {0}: {1}; set TMPDIR to a folder you may write")]
    Folder(PathBuf, #[source] io::Error),
    /// The tape inside the binary is broken.
    #[error("the demo's stories cannot be read: {0}")]
    Tape(#[from] serde_json::Error),
}

/// A demo that is set up: the origin runs and a feeds.toml points at it. Dropping it stops the origin and removes the
/// folder.
pub struct Demo {
    folder: PathBuf,
    listen: SocketAddr,
    origin: JoinHandle<()>,
    length: i64,
    stories: usize,
}

impl Demo {
    /// Starts the origin and writes the folder; `listen` is where the desk is to be reached, a free port from 8080 on
    /// if none is given.
    pub async fn prepare(listen: Option<SocketAddr>, clock: Clock) -> Result<Self, DemoError> {
        let listen = free(listen).await?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(DemoError::Origin)?;
        let address = listener.local_addr().map_err(DemoError::Origin)?;
        let now = clock();
        let played = origin::Played::new(address, clock)?;
        let (length, stories) = (played.tape.length(), played.tape.stories());
        let folder = std::env::temp_dir().join(format!("citydesk-demo-{}-{}", std::process::id(), now.0));
        let written = std::fs::create_dir_all(&folder)
            .and_then(|()| std::fs::write(folder.join("feeds.toml"), config(address, listen)));
        written.map_err(|error| DemoError::Folder(folder.clone(), error))?;
        Ok(Self { folder, listen, origin: tokio::spawn(origin::serve(listener, played)), length, stories })
    }

    /// The feeds.toml to serve from.
    #[must_use]
    pub fn config_path(&self) -> PathBuf {
        self.folder.join("feeds.toml")
    }

    /// Where it all lies until the demo ends.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the desk is to be reached.
    #[must_use]
    pub fn listen(&self) -> SocketAddr {
        self.listen
    }

    /// What to open and what to look for, in two languages.
    #[must_use]
    pub fn welcome(&self) -> String {
        let base = format!("http://{}", self.listen);
        let minutes = (self.length + Time::MINUTE - 1) / Time::MINUTE;
        let mut out = String::new();
        let _ = write!(
            out,
            "citydesk demo: three cities, five invented sources, {stories} stories; new ones keep coming for {minutes} minutes.\n\
             演示：三座城市，五个虚构来源，{stories} 条新闻，{minutes} 分钟内陆续到达。\n\n\
             open / 打开\n\
             \x20 {base}/                          the front page / 首页\n\
             \x20 {base}/city/xuchang              one city / 一座城市（许昌）\n\
             \x20 {base}/feeds/city/xuchang.rss    its feed / 它的 RSS\n\
             \x20 {base}/feeds/city/sanmenxia.rss\n\
             \x20 {base}/feeds/city/jiaozuo.rss\n\
             \x20 {base}/feeds/tag/%E5%8F%8C%E5%87%8F.rss   tag 双减 / 标签“双减”\n\
             \x20 {base}/feeds.opml                every feed, to import / 全部订阅，可导入阅读器\n\
             \x20 {base}/sources                   who is polled, and how it goes / 来源状态\n\n\
             look for / 看点\n\
             \x20 - a story told by several sources stands once; 样网 cuts its headlines and loses every 平: its copy gives way to a whole one\n\
             \x20   同一新闻多处转载只出现一次；样网截断标题、丢掉所有“平”字，有完整版本时就不用它的\n\
             \x20 - “双减”, 外贸, 信用 come from three cities in the same words with other numbers: they stay apart\n\
             \x20   三座城市用同一模板发的“双减”、外贸、信用新闻不会混为一谈\n\
             \x20 - 三门峡 states dates without a zone, 焦作 has no feed but a GBK list page: both arrive whole\n\
             \x20   三门峡的时间没有时区，焦作只有 GBK 列表页，都能正确读出\n\
             \x20 - edit {config} and save: it is applied, or you are told what is wrong\n\
             \x20   修改上面的 feeds.toml 并保存：立即生效，写错了会指出行列\n\n\
             Ctrl-C ends it and removes everything. / 按 Ctrl-C 结束并清除。\n",
            stories = self.stories,
            config = self.config_path().display(),
        );
        out
    }
}

/// Runs the demo until Ctrl-C.
#[must_use]
pub fn run(runtime: &tokio::runtime::Runtime, listen: Option<SocketAddr>) -> Exit {
    let demo = match runtime.block_on(Demo::prepare(listen, clock::system())) {
        Ok(demo) => demo,
        Err(error @ DemoError::Listen(..)) => return Exit::Unavailable.failed(error),
        Err(error) => return Exit::CannotCreate.failed(error),
    };
    let config = demo.config_path();
    let loaded = match locate::load(&config) {
        Ok(loaded) => loaded,
        Err(exit) => return exit,
    };
    let store = loaded.settings.store.clone();
    let open = move || Folder::open(&store, true, |_| ());
    let ready = |_| {
        // A demo whose welcome nobody reads still runs.
        let _ = say::out(demo.welcome(), Exit::Fine);
    };
    match runtime.block_on(app::serve(&config, loaded, open, clock::system(), ready)) {
        Ok(()) => Exit::Fine,
        Err(error) => Exit::from(&error).failed(error),
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        self.origin.abort();
        // Ours alone, made a moment ago; if it cannot be removed the system's temporary folder is swept anyway.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The address asked for if it is free, else the first free port from [`PORT`] on.
async fn free(listen: Option<SocketAddr>) -> Result<SocketAddr, DemoError> {
    let bind = async |address: SocketAddr| TcpListener::bind(address).await.and_then(|listener| listener.local_addr());
    if let Some(address) = listen {
        return bind(address).await.map_err(|error| DemoError::Listen(address, error));
    }
    let mut failed = io::Error::from(io::ErrorKind::AddrInUse);
    for port in PORT..PORT + PORTS {
        match bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await {
            Ok(address) => return Ok(address),
            Err(error) => failed = error,
        }
    }
    Err(DemoError::Listen(SocketAddr::from((Ipv4Addr::LOCALHOST, PORT)), failed))
}

/// The feeds.toml of the demo: its origin's five sources, a tag and a saved search.
#[must_use]
pub fn config(origin: SocketAddr, listen: SocketAddr) -> String {
    let mut out = format!(
        "# feeds.toml of the demo: change it and save, the running desk takes it over\n\n\
         [site]\ntitle = \"豫见三城\"\nlanguage = \"zh-CN\"\npublic_url = \"http://{listen}\"\n\n\
         [server]\nlisten = \"{listen}\"\n\n\
         [store]\npath = \"data\"\n\n\
         [defaults]\nevery = \"2s..5s\"\nzone = \"Asia/Shanghai\"\n\n\
         [fetch]\nper_host = 5                    # the five sources live on one host here\nallow_private = [\"127.0.0.0/8\"]\n\n\
         [cities]\ncover = [\"许昌市\", \"三门峡市\", \"焦作市\", \"郑州市\"]\n\n"
    );
    for source in manner::SOURCES {
        let _ = write!(
            out,
            "[[source]]\nid = \"{}\"\nname = \"{}\"\n{} = \"http://{origin}/{}/{}\"\n{}\n",
            source.id, source.name, source.kind, source.id, source.document, source.block
        );
    }
    out.push_str(
        "[[tag]]\nid = \"教育\"\nwhen = '\"双减\" OR \"中考\" OR \"寄宿制小学\"'\n\n\
         [[tag]]\nid = \"双减\"\nwhen = '\"双减\"'\n\n\
         [[tag]]\nid = \"外贸\"\nwhen = 'title:\"外贸\"'\n\n\
         [[tag]]\nid = \"天气\"\nwhen = 'title:\"预警信号\" OR title:\"道路结冰\" OR title:\"中雪\"'\n\n\
         [[feed]]\nid = \"schools\"\ntitle = \"三城教育\"\nwhen = 'tag:教育'\n",
    );
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_demo_sets_itself_up_and_cleans_up() {
        let now = Time(1_790_000_000_000);
        let demo = Demo::prepare(Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))), std::sync::Arc::new(move || now));
        let demo = demo.await.unwrap();
        let text = std::fs::read_to_string(demo.config_path()).unwrap();
        assert_eq!(text.matches("[[source]]").count(), 5);
        assert!(demo.welcome().contains(&format!("http://{}/city/xuchang", demo.listen())));
        let folder = demo.folder().to_owned();
        drop(demo);
        assert!(!folder.exists());
    }

    /// What a desk reads of every source at the end of the tape.
    #[test]
    fn every_source_is_read_whole() {
        let (start, here) = (Time(1_790_000_000_000), SocketAddr::from((Ipv4Addr::LOCALHOST, 9)));
        let loaded = crate::config::load_text(Path::new("feeds.toml"), config(here, here)).map_err(|_| ()).unwrap();
        assert_eq!(loaded.problems, []);
        let tape = tape::Tape::builtin().unwrap();
        let now = start.plus(tape.length() + Time::MINUTE);
        for source in &loaded.settings.sources {
            let manner = manner::Source::find(&source.id().to_string()).unwrap();
            let shown = tape.shown(manner.id, start, now);
            let body = manner.print("http://127.0.0.1:9", &shown);
            let url = source.kind.address();
            let fetched = crate::parse::Fetched { body: &body, content_type: Some(manner.content_type), url, at: now };
            let document = crate::parse::parse(source, &fetched).unwrap();
            assert_eq!(document.items.len(), shown.len().min(40), "{}", manner.id);
            for (raw, shown) in document.items.iter().zip(&shown) {
                let title = raw.title.as_deref().unwrap_or_default().trim();
                let cut = manner.id == "portal" && shown.title.starts_with(title);
                assert!(cut || title == shown.title, "{}: {title}", manner.id);
                let claim = raw.published.as_ref().and_then(|stamp| stamp.claim.as_ref()).unwrap();
                assert!((0..Time::MINUTE).contains(&shown.at.since(claim.at)), "{}: {title}: {claim:?}", manner.id);
                assert!(raw.summary.is_some() || raw.content.is_some(), "{}: {title}", manner.id);
            }
        }
    }

    /// The whole tape through the real parts, in steps of half a minute: every story stands once, with the copies that
    /// are its own, in the city it is about.
    #[test]
    fn every_story_stands_once_and_look_alikes_stay_apart() {
        use std::collections::BTreeMap;
        use std::sync::Arc;
        use std::sync::atomic::{AtomicI64, Ordering};

        let now = Arc::new(AtomicI64::new(1_790_000_000_000));
        let start = Time(now.load(Ordering::SeqCst));
        let told = Arc::clone(&now);
        let clock: Clock = Arc::new(move || Time(told.load(Ordering::SeqCst)));
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let listen = Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        let demo = runtime.block_on(Demo::prepare(listen, Arc::clone(&clock))).unwrap();
        let settings = crate::config::load(&demo.config_path()).unwrap().settings;
        let sources: Vec<_> = settings.sources.clone();
        let folder = Folder::open(&settings.store, true, |_| ()).unwrap();
        let mut desk = app::Desk::start(folder, settings, clock, Box::new(|_| ())).unwrap();
        let end = start.plus(demo.length + Time::MINUTE);
        while now.load(Ordering::SeqCst) < end.0 {
            let rounds = crate::schedule::once(&desk.poller, &sources, 5, true, Arc::new(|_: &crate::poll::Round| ()));
            runtime.block_on(rounds).unwrap();
            desk.settle().unwrap();
            now.fetch_add(30 * Time::SECOND, Ordering::SeqCst);
        }

        let tape = tape::Tape::builtin().unwrap();
        let mut numbers = BTreeMap::new();
        let mut copies = 0;
        for source in manner::SOURCES {
            for shown in tape.shown(source.id, start, end) {
                numbers.insert(source.path(&shown), (shown.number, shown.id.to_owned()));
                copies += 1;
            }
        }
        let mut stories = BTreeMap::<usize, Vec<String>>::new();
        let mut found = 0;
        for story in desk.store.view().stories(crate::model::id::StoryNo(0)) {
            let story = story.unwrap();
            found += story.copies.len();
            let of = |link: &str| numbers[&format!("/{}", link.splitn(4, '/').nth(3).unwrap())].clone();
            let (number, id) = of(&story.copies[0].link);
            for copy in &story.copies {
                assert_eq!(of(&copy.link).0, number, "two stories joined: {} / {}", story.copies[0].title, copy.title);
            }
            let emission = story.emission.as_ref().unwrap();
            stories.entry(number).or_default().push(emission.title.clone());
            let home = [("xc-", 411_000), ("smx-", 411_200), ("jz-", 410_800)];
            if let Some((_, code)) = home.iter().find(|(prefix, _)| id.starts_with(prefix)) {
                let about = story.places.cities.iter().any(|placed| placed.code.0 == *code);
                assert!(about, "{} is not under {code}: {:?}", emission.title, story.places.cities);
            }
        }
        let twice: Vec<_> = stories.values().filter(|titles| titles.len() > 1).collect();
        assert!(twice.is_empty(), "stand twice: {twice:?}");
        assert_eq!((stories.len(), found), (tape.stories(), copies));
        desk.stop();
    }
}
