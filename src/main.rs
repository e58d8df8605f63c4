//! The binary comes with the command line.

fn main() {}
