//! JSON for people: what fits into a line stands in one.

use serde_json::Value;

/// Longest line.
const WIDTH: usize = 110;

/// With a line end after it.
pub(crate) fn compact(value: &Value) -> String {
    let mut text = String::new();
    write(value, 0, 0, &mut text);
    text.push('\n');
    text
}

/// `used` characters of the line are taken already, by a name and what comes after the value.
fn write(value: &Value, indent: usize, used: usize, text: &mut String) {
    let line = flat(value);
    if 2 * indent + used + line.chars().count() <= WIDTH {
        return text.push_str(&line);
    }
    let begin = |text: &mut String, index: usize| {
        text.push_str(if index == 0 { "\n" } else { ",\n" });
        text.push_str(&"  ".repeat(indent + 1));
    };
    match value {
        Value::Object(members) if !members.is_empty() => {
            text.push('{');
            for (index, (name, value)) in members.iter().enumerate() {
                begin(text, index);
                let name = format!("{}: ", Value::from(name.as_str()));
                text.push_str(&name);
                write(value, indent + 1, name.chars().count() + 1, text);
            }
            text.push_str(&format!("\n{}}}", "  ".repeat(indent)));
        }
        Value::Array(items) if !items.is_empty() => {
            text.push('[');
            for (index, value) in items.iter().enumerate() {
                begin(text, index);
                write(value, indent + 1, 1, text);
            }
            text.push_str(&format!("\n{}]", "  ".repeat(indent)));
        }
        _ => text.push_str(&line),
    }
}

/// In one line, with spaces where people put them.
fn flat(value: &Value) -> String {
    match value {
        Value::Object(members) if !members.is_empty() => {
            let member = |(name, value): (&String, &Value)| format!("{}: {}", Value::from(name.as_str()), flat(value));
            format!("{{ {} }}", members.iter().map(member).collect::<Vec<_>>().join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(flat).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}
