//! The matrix as a page for a browser: the same figures, coloured, each cell with its rules.

use std::fmt::Write as _;

use spanproof_schemas::report::Level;
use spanproof_schemas::worker::Operation;

use super::cell::{Cell, SITUATIONS};
use super::confirmed::Confirmed;
use super::invariant::INVARIANTS;
use super::results::{LibraryResults, Results};

const HEAD: &str = r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Released instrumentations, judged</title>
<style>
:root { color-scheme: light dark; --good: light-dark(#e3f4e6, #173b20); --bad: light-dark(#fbe0dd, #4d1f1b); --line: light-dark(#d5d8dc, #3a3f45); --quiet: light-dark(#5b636b, #a4acb4); }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 72rem; padding: 1.5rem 1rem 4rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: 1rem 0; }
th, td { border: 1px solid var(--line); padding: .3rem .6rem; text-align: left; vertical-align: top; }
td.count { text-align: right; font-variant-numeric: tabular-nums; }
td.good { background: var(--good); } td.bad { background: var(--bad); }
code { font-size: .9em; } .quiet { color: var(--quiet); }
ul.rules { list-style: none; margin: 0; padding: 0; font-size: .8rem; }
details { margin: .4rem 0; } summary { cursor: pointer; }
@media (max-width: 46rem) {
  th:first-child { position: sticky; left: 0; min-width: 9rem; max-width: 9rem; overflow-wrap: anywhere; background: Canvas; }
}
</style>
</head>
<body>
<h1>Released instrumentations, judged</h1>
<p>Each library runs as its users run it, in an ordinary program, with the capture of content
switched off. Every cell is a process of its own under <code>spanproof run</code>.</p>
"#;

/// The page in HTML; it needs nothing beside itself.
pub(super) fn page(results: &Results<'_>, confirmed: &Confirmed) -> String {
    let mut page = HEAD.to_owned();
    overview(results, &mut page);
    for results in &results.libraries {
        library(results, confirmed, &mut page);
    }
    page.push_str("</body>\n</html>\n");
    page
}

fn overview(results: &Results<'_>, page: &mut String) {
    page.push_str(
        "<h2>Library by invariant</h2>\n<p>In how many cells a violation was found.</p>\n",
    );
    page.push_str("<div class=\"wide\"><table>\n<tr><th>library</th>");
    for invariant in &INVARIANTS {
        let _ = write!(page, "<th title=\"{}\">{}</th>", escape(invariant.meaning), invariant.id);
    }
    page.push_str("<th>cells</th></tr>\n");
    for results in &results.libraries {
        let library = results.library;
        let _ = write!(
            page,
            "<tr><th>{} {}<br><span class=\"quiet\">{}</span></th>",
            escape(&library.package),
            escape(&library.version),
            library.client.language.name()
        );
        for count in results.violated() {
            let class = if count == 0 { "good" } else { "bad" };
            let _ = write!(page, "<td class=\"count {class}\">{count}</td>");
        }
        let _ = writeln!(page, "<td class=\"count\">{}</td></tr>", results.cells.len());
    }
    page.push_str("</table></div>\n<dl>\n");
    for invariant in &INVARIANTS {
        let _ = writeln!(page, "<dt>{}</dt><dd>{}</dd>", invariant.id, escape(invariant.meaning));
    }
    page.push_str("</dl>\n");
}

fn library(results: &LibraryResults<'_>, confirmed: &Confirmed, page: &mut String) {
    let library = results.library;
    let _ = writeln!(page, "<h2>{} {}</h2>", escape(&library.package), escape(&library.version));
    page.push_str("<div class=\"wide\"><table>\n<tr><th>situation</th>");
    for operation in Operation::ALL.map(Operation::name) {
        let _ = write!(page, "<th>{operation}</th>");
    }
    page.push_str("</tr>\n");
    for situation in &SITUATIONS {
        let _ = write!(
            page,
            "<tr><th>{}<br><span class=\"quiet\">{}</span></th>",
            situation.name,
            escape(situation.meaning)
        );
        for operation in Operation::ALL.map(Operation::name) {
            let cell = Cell { operation, situation: situation.name };
            if !results.has(cell) {
                page.push_str("<td></td>");
                continue;
            }
            let rules = results.violations(cell);
            if rules.is_empty() {
                page.push_str("<td class=\"good\">conforms</td>");
                continue;
            }
            page.push_str("<td class=\"bad\"><ul class=\"rules\">");
            for rule in rules {
                let _ = write!(page, "<li><code>{}</code></li>", escape(rule));
            }
            page.push_str("</ul></td>");
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</table></div>\n");
    for found in results.found() {
        let (rule, message) = (&found.group.rule, &found.group.message);
        let level = match found.group.level {
            Level::Violation => "<strong>violation</strong>",
            Level::Improvement => "improvement",
            Level::Information => "information",
        };
        let cells: Vec<String> = found.cells.iter().map(ToString::to_string).collect();
        let saw = confirmed.saw(&library.name, rule, message).unwrap_or("Not confirmed yet.");
        let _ = writeln!(
            page,
            "<details><summary>{level} <code>{}</code>: {}</summary>\n<p>{}</p>\n<p class=\"quiet\">{}</p></details>",
            escape(rule),
            escape(message),
            escape(saw),
            escape(&cells.join(", ")),
        );
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
