export const STYLE = `
:root {
  color-scheme: light dark;
  --ground: #f7f6f3; --card: #ffffff; --ink: #23211e; --soft: #625e58; --line: #dfdcd6; --edge: #8b867d;
  --accent: #2456c4; --accent-strong: #1b449c; --on-accent: #ffffff;
  --good: #1a6b3c; --good-tint: #e6f4ea; --warn: #7a4b00; --warn-tint: #fdf1d8; --bad: #a1261b; --gone-tint: #ecebe8;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #191919; --card: #222221; --ink: #ecebe9; --soft: #b3b0aa; --line: #3b3a37; --edge: #85817a;
    --accent: #8ab4ff; --accent-strong: #a9c7ff; --on-accent: #10203d;
    --good: #84d6a2; --good-tint: #1b3526; --warn: #f2c66d; --warn-tint: #3a2d12; --bad: #ff9d92; --gone-tint: #33322f;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--ground); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
h1, h2, h3, p, ul, ol, dl, dd { margin: 0; padding: 0; }
h1 { font-size: 1.75rem; line-height: 1.2; letter-spacing: -.015em; text-wrap: balance; }
h2 { font-size: 1.0625rem; line-height: 1.35; }
h3 { font-size: 1.125rem; line-height: 1.3; overflow-wrap: anywhere; }
a { color: var(--accent); }
code { font: .8125rem/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; }
.quiet { color: var(--soft); font-size: .875rem; }
.lead { margin-top: .5rem; color: var(--soft); max-width: 60ch; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 6px; }
#result:focus { outline: none; }
.skip { position: absolute; left: 1rem; top: -4rem; padding: .5rem 1rem; background: var(--card); z-index: 1; }
.skip:focus { top: 1rem; }

.top, main, footer { width: 100%; max-width: 70rem; margin: 0 auto; padding-inline: clamp(1rem, 4vw, 2rem); }
.top { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; justify-content: space-between; padding-block: 1.25rem; }
.brand { font-weight: 650; }
.brand a { color: inherit; text-decoration: none; }
.brand a:hover { text-decoration: underline; }
.brand .quiet { font-weight: 400; }
.chip, .status { font-size: .8125rem; font-weight: 600; padding: .1875rem .625rem; border-radius: 999px; white-space: nowrap; }
.chip { border: 1px solid var(--line); color: var(--soft); background: var(--card); }
.intro { display: flex; flex-wrap: wrap; gap: 1.25rem 2rem; align-items: end; justify-content: space-between; padding-block: 1.5rem 2rem; }
.intro > div { flex: 1 1 22rem; }
.columns { display: grid; gap: 2rem; align-items: start; }
@media (min-width: 60rem) { .columns { grid-template-columns: minmax(0, 1fr) 22rem; } .side { position: sticky; top: 1.25rem; } }
.side { display: grid; gap: 1.25rem; }
#workspaces { display: grid; gap: 1rem; min-width: 0; }

.card, #result { background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 1.25rem; }
.card header { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem .75rem; }
.card header h3 { flex: 1 1 8rem; }
.icon {
  display: grid; place-items: center; width: 2.5rem; height: 2.5rem; border-radius: 10px; border: 1px solid var(--line);
  font-size: 1.25rem; font-weight: 650;
}
.status::before { content: ""; display: inline-block; width: .5rem; height: .5rem; margin-right: .4375rem; border-radius: 50%; background: currentColor; }
.status.active { color: var(--good); background: var(--good-tint); }
.status.needs_reconnect { color: var(--warn); background: var(--warn-tint); }
.status.needs_reconnect::before { border-radius: 0; transform: rotate(45deg); }
.status.revoked { color: var(--soft); background: var(--gone-tint); }
.callout { display: flex; flex-wrap: wrap; gap: .75rem 1rem; align-items: center; margin-top: 1rem; padding: .875rem 1rem; border-radius: 10px; background: var(--warn-tint); }
.callout p { flex: 1 1 16rem; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: .875rem 1.25rem; margin-top: 1.125rem; }
.facts .wide { grid-column: 1 / -1; }
time + .quiet { white-space: nowrap; }
.facts .quiet { display: block; }
dt { color: var(--soft); font-size: .8125rem; }
.group { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; margin-top: 1rem; padding-top: 1rem; border-top: 1px solid var(--line); }
.group + .group { margin-top: 1rem; }
.group-label { flex: 1 0 100%; color: var(--soft); font-size: .8125rem; }
.group form { display: contents; }

.button {
  display: inline-flex; align-items: center; justify-content: center; min-height: 2.75rem; padding: .375rem .9375rem; border: 1px solid var(--edge);
  border-radius: 9px; background: transparent; color: var(--ink); font: inherit; font-weight: 550; font-size: .9375rem;
  text-align: center; text-decoration: none; cursor: pointer;
}
.button:hover { background: var(--ground); }
.button.primary { background: var(--accent); border-color: var(--accent); color: var(--on-accent); font-weight: 650; }
.button.primary:hover { background: var(--accent-strong); border-color: var(--accent-strong); }
.button.danger { color: var(--bad); }
.button[aria-disabled="true"] { opacity: .6; cursor: progress; }

.empty { display: grid; gap: .375rem; padding-block: 2rem; text-align: center; border-style: dashed; }
.empty p + p { color: var(--soft); }
.notice { margin-top: .5rem; padding: .75rem 1rem; border-radius: 10px; background: var(--warn-tint); color: var(--warn); font-weight: 550; }
.notice.good { background: var(--good-tint); color: var(--good); }
#result { scroll-margin: 1rem; transition: opacity .15s; }
#result[aria-busy="true"] { opacity: .55; }
#result > .quiet { margin-top: .375rem; }
#result > div { display: grid; gap: .75rem; }
#result ul { padding-left: 1.125rem; }
.headline { font-weight: 600; overflow-wrap: anywhere; }
.headline.good::before { content: "✓ "; color: var(--good); }
.headline.bad::before { content: "✗ "; color: var(--bad); }
.figures { display: grid; grid-template-columns: repeat(3, 1fr); gap: .5rem; }
.figures > div { display: flex; flex-direction: column-reverse; justify-content: flex-end; padding: .625rem .5rem; border-radius: 10px; background: var(--ground); text-align: center; }
.figures dd { font-size: 1.625rem; line-height: 1.2; font-weight: 650; font-variant-numeric: tabular-nums; }
.figures dt { font-size: .75rem; line-height: 1.3; }
.steps { padding: 0 .25rem; }
.steps ol { margin-top: .5rem; padding-left: 1.25rem; display: grid; gap: .375rem; color: var(--soft); font-size: .9375rem; }
.message { display: grid; gap: 1rem; justify-items: start; max-width: 38rem; margin: 2rem auto; padding: clamp(1.25rem, 5vw, 2.25rem); }
footer { padding-block: 2.5rem 2rem; font-size: .875rem; }
footer ul { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; list-style: none; }
footer a { display: inline-block; padding-block: .25rem; }
@media (max-width: 40rem) {
  h1 { font-size: 1.5rem; }
  .intro .button, .callout .button, .group .button { flex: 1 1 auto; }
  .card, #result { padding: 1rem; }
}
@media (prefers-reduced-motion: reduce) { #result { transition: none; } }
`;
