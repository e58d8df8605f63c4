//! Lines and columns of byte offsets.

use async_graphql::Pos;

/// Finds places in one text. A document may be one line of a quarter of a megabyte with thousands of places, so that
/// counting from the beginning of the line each time would take seconds.
pub(super) struct Places<'a> {
    text: &'a str,
    /// Where each line begins.
    lines: Vec<usize>,
    /// How many characters begin before each block of [`Self::BLOCK`] bytes.
    characters: Vec<usize>,
}

impl<'a> Places<'a> {
    const BLOCK: usize = 256;

    pub(super) fn new(text: &'a str) -> Self {
        let bytes = text.as_bytes();
        let ends_line = |index: usize| match bytes[index] {
            b'\n' => true,
            b'\r' => bytes.get(index + 1) != Some(&b'\n'),
            _ => false,
        };
        let lines = (0..bytes.len()).filter(|index| ends_line(*index)).map(|index| index + 1);
        let lines = std::iter::once(0).chain(lines).collect();
        let characters = bytes.chunks(Self::BLOCK).scan(0, |sum, block| {
            let before = *sum;
            *sum += begun(block);
            Some(before)
        });
        Places { text, lines, characters: characters.collect() }
    }

    /// Line and column of an offset, both from 1; columns are characters.
    pub(super) fn of(&self, offset: usize) -> Pos {
        let line = self.lines.partition_point(|start| *start <= offset);
        let start = self.lines[line - 1];
        Pos { line, column: self.before(offset) - self.before(start) + 1 }
    }

    fn before(&self, offset: usize) -> usize {
        let bytes = self.text.as_bytes();
        let offset = offset.min(bytes.len());
        let block = offset / Self::BLOCK;
        match self.characters.get(block) {
            Some(before) => before + begun(&bytes[block * Self::BLOCK..offset]),
            // The end of a text whose last block is full.
            None => self.characters.last().map_or(0, |before| before + begun(&bytes[(block - 1) * Self::BLOCK..])),
        }
    }
}

/// How many characters begin in a piece of UTF-8.
fn begun(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0xc0 != 0x80).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_those_that_counting_finds() {
        for text in ["", "a", "{ a\n  é\r\n\rb }", &"é{ ".repeat(300), &"a\n".repeat(128)] {
            let places = Places::new(text);
            let (mut line, mut column) = (1, 1);
            let mut characters = text.char_indices().peekable();
            while let Some((offset, character)) = characters.next() {
                assert_eq!(places.of(offset), Pos { line, column }, "{offset} in {text:?}");
                let ends =
                    character == '\n' || (character == '\r' && characters.peek().is_none_or(|next| next.1 != '\n'));
                (line, column) = if ends { (line + 1, 1) } else { (line, column + 1) };
            }
            assert_eq!(places.of(text.len()), Pos { line, column });
        }
    }
}
