//! Other processes of a benchmark: how they are started, told things in lines, and what they use.

use std::error::Error;
use std::fs;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child as Process, ChildStdin, ChildStdout, Command};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Clock ticks in a second, as `/proc` counts them on Linux.
const TICKS: f64 = 100.0;

/// A process that ends with this one.
pub(crate) struct Child {
    process: Process,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Child {
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let input = process.stdin.take().ok_or("a child has no input")?;
        let output = BufReader::new(process.stdout.take().ok_or("a child has no output")?).lines();
        Ok(Child { process, input, output })
    }

    pub(crate) async fn say(&mut self, line: &str) -> Result<()> {
        Ok(self.input.write_all(format!("{line}\n").as_bytes()).await?)
    }

    pub(crate) async fn hear(&mut self) -> Result<String> {
        Ok(self.output.next_line().await?.ok_or("a child ended")?)
    }

    /// What it used until now, as Linux tells it; other systems do not.
    pub(crate) fn usage(&self) -> Result<Usage> {
        let id = self.process.id().ok_or("a child ended")?;
        let stat = fs::read_to_string(format!("/proc/{id}/stat"))?;
        // The name, in parentheses, may hold spaces; the times are the 14th and the 15th of all.
        let (_, stat) = stat.rsplit_once(')').ok_or("/proc/<pid>/stat has no name")?;
        let times: Vec<f64> =
            stat.split_whitespace().skip(11).take(2).map(str::parse).collect::<std::result::Result<_, _>>()?;
        let status = fs::read_to_string(format!("/proc/{id}/status"))?;
        let peak =
            status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("/proc/<pid>/status has no VmHWM")?;
        let peak_kb = peak.trim().trim_end_matches(" kB").parse()?;
        Ok(Usage { cpu: times.iter().sum::<f64>() / TICKS, peak_kb })
    }
}

/// What a process used since its start.
#[derive(Clone, Copy)]
pub(crate) struct Usage {
    /// Seconds, user and system.
    pub(crate) cpu: f64,
    /// Most memory that was resident at one time.
    pub(crate) peak_kb: u64,
}
