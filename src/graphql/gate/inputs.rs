//! What both literals and variables must be: the words for each type, and scalars of our own.

use crate::graphql::scalar::DateTime;
use apollo_compiler::{
    ast::Type,
    schema::{EnumType, InputObjectType},
};
use async_graphql::{InputType, Value as Const};

/// A value that cannot be taken.
pub(super) struct Wrong {
    /// A sentence that says where and what is wrong: “`filter.created.since` must be …”.
    pub message: String,
    /// Where in the document, in bytes; none for variables.
    pub offset: Option<usize>,
}

/// How many values of an enum or members of an input object a message names.
const NAMED: usize = 12;

/// What a scalar takes.
pub(super) fn scalar(ty: &str) -> &'static str {
    match ty {
        "Int" => "an Int, a whole number from -2147483648 to 2147483647",
        "Float" => "a Float, a number",
        "String" => "a String, a text",
        "Boolean" => "a Boolean, true or false",
        "ID" => "an ID, a text or a whole number",
        "DateTime" => "a DateTime, as \"2026-04-21T11:15:00Z\" or \"2026-04-21T13:15:00+02:00\"",
        _ => "a scalar",
    }
}

/// Whether a text can be a value of a scalar of ours; anything but a text comes as none.
pub(super) fn own_scalar(ty: &str, text: Option<&str>) -> bool {
    let value = text.map_or(Const::Null, |text| Const::String(text.to_owned()));
    ty != DateTime::type_name() || DateTime::parse(Some(value)).is_ok()
}

pub(super) fn of_enum(own: &EnumType) -> String {
    format!("{}: {}", an(&own.name), listed(own.values.keys(), "one of "))
}

pub(super) fn of_input(input: &InputObjectType) -> String {
    format!("{}, an object", an(&input.name))
}

pub(super) fn one_of(at: &str, input: &InputObjectType) -> String {
    format!("`{at}` must have exactly one of {}, and that not null.", listed(input.fields.keys(), ""))
}

/// A type with its article.
fn an(ty: &str) -> String {
    let vowel = ty.starts_with(['A', 'E', 'I', 'O', 'U']);
    format!("{} {ty}", if vowel { "an" } else { "a" })
}

fn listed(names: impl ExactSizeIterator<Item = impl AsRef<str>>, before: &str) -> String {
    let more = names.len().saturating_sub(NAMED);
    let shown: Vec<String> = names.take(NAMED).map(|name| format!("`{}`", name.as_ref())).collect();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{before}{}{more}", shown.join(", "))
}

/// Whether a type takes a list, and of what.
pub(super) fn item(ty: &Type) -> Option<&Type> {
    match ty {
        Type::List(item) | Type::NonNullList(item) => Some(item),
        Type::Named(_) | Type::NonNullNamed(_) => None,
    }
}
