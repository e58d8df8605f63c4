//! The growth as a picture: three plots beside each other, both axes logarithmic.

use crate::growth::Point;
use std::fmt::Write;

const COLOURS: [(usize, &str); 5] = [(1, "#1b9e77"), (2, "#66a61e"), (5, "#7570b3"), (10, "#e6ab02"), (20, "#d95f02")];
const WIDTH: f64 = 260.0;
const HEIGHT: f64 = 220.0;

/// One of the three.
struct Plot {
    title: &'static str,
    value: fn(&Point) -> f64,
    /// Powers of ten at the ends of the axis.
    from: i32,
    to: i32,
}

const PLOTS: [Plot; 3] = [
    Plot { title: "first page, ms", value: |point| point.first, from: -2, to: 4 },
    Plot { title: "page in the middle, ms", value: |point| point.middle, from: -2, to: 4 },
    Plot { title: "memory of the walk, MiB", value: |point| point.memory, from: -1, to: 4 },
];

/// An SVG document.
pub(crate) fn svg(points: &[Point]) -> String {
    let mut out = String::from(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 960 310\" font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"960\" height=\"310\" fill=\"white\"/>\n",
    );
    for (number, plot) in PLOTS.iter().enumerate() {
        let _ = writeln!(out, "<g transform=\"translate({} 24)\">", 45 + number * 310);
        plot.draw(points, &mut out);
        out.push_str("</g>\n");
    }
    let mut x = 45;
    for (sources, colour) in COLOURS {
        let _ = writeln!(
            out,
            "<text x=\"{x}\" y=\"300\" fill=\"{colour}\">{sources} source{}</text>",
            if sources == 1 { "" } else { "s" }
        );
        x += 80;
    }
    let _ = writeln!(out, "<text x=\"{x}\" y=\"300\">lines: they sort; dashes: they are copied</text>\n</svg>");
    out
}

impl Plot {
    fn draw(&self, points: &[Point], out: &mut String) {
        let _ = writeln!(out, "<text y=\"-8\" font-weight=\"bold\">{}</text>", self.title);
        for power in self.from..=self.to {
            let y = self.y(10_f64.powi(power));
            let _ = writeln!(out, "<path d=\"M0 {y:.0}H{WIDTH}\" stroke=\"#ddd\"/>");
            let _ =
                writeln!(out, "<text x=\"-4\" y=\"{:.0}\" text-anchor=\"end\">{}</text>", y + 4.0, 10_f64.powi(power));
        }
        for power in 2..=5 {
            let x = x(10_f64.powi(power));
            let _ = writeln!(out, "<path d=\"M{x:.0} 0V{HEIGHT}\" stroke=\"#ddd\"/>");
            let _ = writeln!(
                out,
                "<text x=\"{x:.0}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
                HEIGHT + 14.0,
                10_u64.pow(power.cast_unsigned())
            );
        }
        let _ = writeln!(
            out,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">incidents of each source</text>",
            WIDTH / 2.0,
            HEIGHT + 30.0
        );
        for (sources, colour) in COLOURS {
            for (sorts, dashes) in [(true, ""), (false, " stroke-dasharray=\"4 3\"")] {
                let own = points.iter().filter(|point| point.sources == sources && point.sorts == sorts);
                let places: Vec<String> = own
                    .map(|point| format!("{:.1},{:.1}", x(point.incidents as f64), self.y((self.value)(point))))
                    .collect();
                let places = places.join(" ");
                let _ = writeln!(out, "<polyline points=\"{places}\" fill=\"none\" stroke=\"{colour}\"{dashes}/>");
            }
        }
    }

    fn y(&self, value: f64) -> f64 {
        let (from, to) = (f64::from(self.from), f64::from(self.to));
        HEIGHT * (1.0 - (value.log10().clamp(from, to) - from) / (to - from))
    }
}

/// From 100 to 100,000.
fn x(incidents: f64) -> f64 {
    WIDTH * (incidents.log10() - 2.0) / 3.0
}
