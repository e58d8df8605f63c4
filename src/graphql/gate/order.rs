//! Fragments in the order in which they can be counted: each after those that it spreads.

/// The indexes of nodes so that each stands after those it leads to; a circle is broken somewhere. `next[n]`: where node
/// `n` leads. Needs no stack, however long a chain is.
pub(super) fn innermost_first(next: &[Vec<usize>]) -> Vec<usize> {
    let mut order = Vec::with_capacity(next.len());
    let mut seen = vec![false; next.len()];
    let mut path: Vec<(usize, usize)> = vec![];
    for start in 0..next.len() {
        if std::mem::replace(&mut seen[start], true) {
            continue;
        }
        path.push((start, 0));
        while let Some((node, at)) = path.last_mut() {
            match next[*node].get(*at) {
                Some(&inner) => {
                    *at += 1;
                    if !std::mem::replace(&mut seen[inner], true) {
                        path.push((inner, 0));
                    }
                }
                None => {
                    order.push(*node);
                    path.pop();
                }
            }
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stands_after_those_it_leads_to() {
        assert_eq!(innermost_first(&[vec![1, 2], vec![2], vec![]]), [2, 1, 0]);
        assert_eq!(innermost_first(&[vec![1], vec![0], vec![2]]), [1, 0, 2]);
        let chain: Vec<Vec<usize>> = (1..=100_000).map(|next| vec![next]).chain([vec![]]).collect();
        assert_eq!(innermost_first(&chain)[..2], [100_000, 99_999]);
    }
}
