#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| incident_gateway::fuzz::documents(data));
