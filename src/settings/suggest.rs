//! “Did you mean …?”

/// The word that was probably meant, if one is near enough: at most one slip for each three letters.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let most = (word.chars().count() / 3).clamp(1, 4);
    let near = known.into_iter().map(|other| (slips(word, other), other)).filter(|&(slips, _)| slips <= most);
    near.min_by_key(|&(slips, _)| slips).map(|(_, other)| other)
}

/// Letters added, left out, replaced or swapped with the next one.
fn slips(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<usize>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_slips() {
        for (a, b, count) in [("", "", 0), ("url", "url", 0), ("urll", "url", 1), ("rul", "url", 1), ("a", "xyz", 3)] {
            assert_eq!(slips(a, b), count, "{a} {b}");
        }
    }

    #[test]
    fn suggests_what_is_near_and_nothing_else() {
        let known = ["listen", "data_dir", "log"];
        assert_eq!(nearest("datadir", known), Some("data_dir"));
        assert_eq!(nearest("lisetn", known), Some("listen"));
        assert_eq!(nearest("colour", known), None);
    }
}
