/** Colours, named once for light and once for dark; the page, its controls and its forms. */
export const FRAME_STYLE = `
:root {
  color-scheme: light dark;
  --ground: #f7f6f3; --card: #ffffff; --ink: #23211e; --soft: #625e58; --line: #dfdcd6; --edge: #8b867d;
  --accent: #2456c4; --accent-strong: #1b449c; --on-accent: #ffffff;
  --good: #1a6b3c; --good-tint: #e6f4ea; --warn: #7a4b00; --warn-tint: #fdf1d8; --bad: #a1261b; --bad-tint: #fbe9e7; --gone-tint: #ecebe8;
  --bar-good: #3f7fd1; --bar-bad: #c4381f; --bar-other: #b3aea5; --bar-slow: #8a4fbf;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #191919; --card: #222221; --ink: #ecebe9; --soft: #b3b0aa; --line: #3b3a37; --edge: #85817a;
    --accent: #8ab4ff; --accent-strong: #a9c7ff; --on-accent: #10203d;
    --good: #84d6a2; --good-tint: #1b3526; --warn: #f2c66d; --warn-tint: #3a2d12; --bad: #ff9d92; --bad-tint: #43211d; --gone-tint: #33322f;
    --bar-good: #6ea6ec; --bar-bad: #ff7d66; --bar-other: #77736b; --bar-slow: #c49bf0;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
h1, h2, h3, p, ul, ol, dl, dd, figure { margin: 0; padding: 0; }
ul, ol { list-style: none; }
h1 { font-size: 1.75rem; line-height: 1.2; letter-spacing: -.015em; overflow-wrap: anywhere; }
h2 { font-size: 1.125rem; line-height: 1.35; }
h3 { font-size: 1rem; line-height: 1.35; }
a { color: var(--accent); }
code { font: .8125rem/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; }
.quiet, .label { color: var(--soft); font-size: .875rem; }
.lead { margin-top: .375rem; color: var(--soft); }
.number { font-variant-numeric: tabular-nums; }
.none { color: var(--soft); }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 6px; }
main:focus { outline: none; }
.skip { position: absolute; left: 1rem; top: -4rem; padding: .5rem 1rem; background: var(--card); z-index: 1; }
.skip:focus { top: 1rem; }

.top, main, footer { width: 100%; max-width: 72rem; margin: 0 auto; padding-inline: clamp(1rem, 4vw, 2rem); }
.top { display: flex; flex-wrap: wrap; gap: .25rem 2rem; align-items: center; padding-block: 1rem; }
.brand { font-weight: 650; }
.top ul, .spans { display: flex; flex-wrap: wrap; gap: .25rem; }
.top a, .spans a { display: inline-block; padding: .5rem .75rem; border-radius: 8px; color: var(--soft); text-decoration: none; font-weight: 550; }
.top a:hover, .spans a:hover { color: var(--ink); text-decoration: underline; }
.top a[aria-current], .spans a[aria-current] { background: var(--card); color: var(--ink); box-shadow: 0 0 0 1px var(--line); }
main { display: grid; gap: 2rem; padding-block: 1rem 3rem; }
main > * { min-width: 0; }
main > section { display: grid; gap: .875rem; }
.intro { display: flex; flex-wrap: wrap; gap: 1.25rem 2rem; align-items: end; justify-content: space-between; }
.intro > div { flex: 1 1 22rem; min-width: 0; }
.section-head { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; justify-content: space-between; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 1.25rem; min-width: 0; }
.empty { display: grid; gap: .375rem; padding-block: 2.25rem; text-align: center; border-style: dashed; }
.empty p + p { color: var(--soft); max-width: 44rem; justify-self: center; }

.state { margin-top: .5rem; color: var(--soft); }
.state strong { display: inline-flex; align-items: center; margin-right: .375rem; color: var(--ink); }
.state strong::before { content: ""; width: .625rem; height: .625rem; margin-right: .4375rem; border-radius: 50%; background: var(--edge); }
.state.ok strong { color: var(--good); } .state.ok strong::before { background: var(--good); }
.state.degraded strong { color: var(--warn); } .state.degraded strong::before { background: var(--warn); border-radius: 0; transform: rotate(45deg); }
.state.critical strong { color: var(--bad); } .state.critical strong::before { background: var(--bad); border-radius: 0; }

.search { display: flex; flex-wrap: wrap; gap: .75rem; align-items: end; flex: 1 1 24rem; max-width: 36rem; }
.search label, .link-panel label { display: grid; gap: .25rem; color: var(--soft); font-size: .875rem; }
.search .grow { flex: 1 1 12rem; }
input, select { width: 100%; min-height: 2.75rem; padding: .375rem .75rem; border: 1px solid var(--edge); border-radius: 9px; background: var(--card); color: var(--ink); font: inherit; }
input::placeholder { color: var(--soft); opacity: 1; }
.button {
  display: inline-flex; align-items: center; justify-content: center; min-height: 2.75rem; padding: .375rem .9375rem; border: 1px solid var(--edge);
  border-radius: 9px; background: transparent; color: var(--ink); font: inherit; font-weight: 550; font-size: .9375rem; text-align: center; text-decoration: none; cursor: pointer;
}
.button:hover { background: var(--ground); }
.button.primary { background: var(--accent); border-color: var(--accent); color: var(--on-accent); font-weight: 650; }
.button.primary:hover { background: var(--accent-strong); border-color: var(--accent-strong); }
.button.danger { color: var(--bad); }
.button.danger-fill { background: var(--bad); border-color: var(--bad); color: var(--card); font-weight: 650; }
.button.small { min-height: 2.25rem; padding-block: .125rem; font-size: .875rem; }
`;
