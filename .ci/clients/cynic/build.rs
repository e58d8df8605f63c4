fn main() {
    let sdl = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../schema/schema.graphql");
    cynic_codegen::register_schema("gateway")
        .from_sdl_file(sdl)
        .expect("the schema is accepted")
        .as_default()
        .expect("it is the only one");
}
