/** Tiles, charts, lists, and how all of it fits a phone. */
export const PARTS_STYLE = `
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 13rem), 1fr)); gap: .875rem; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 1rem 1.25rem; min-width: 0; }
.tile a { display: grid; color: inherit; text-decoration: none; }
.tile a:hover .tile-label { text-decoration: underline; }
.tile-label { color: var(--soft); font-size: .9375rem; }
.tile-figure { font-size: 1.875rem; line-height: 1.25; font-weight: 650; letter-spacing: -.01em; font-variant-numeric: tabular-nums; }
.tile.needs_reconnect { border-color: var(--warn); } .tile.needs_reconnect .tile-figure { color: var(--warn); }
.tile.bad { border-color: var(--bad); background: var(--bad-tint); } .tile.bad .tile-figure { color: var(--bad); }
.reasons { display: grid; gap: .125rem; margin-top: .5rem; padding-top: .5rem; border-top: 1px solid var(--line); font-size: .875rem; color: var(--soft); }
.reasons li { display: flex; justify-content: space-between; gap: .75rem; font-variant-numeric: tabular-nums; }

.notice { padding: .875rem 1.125rem; border-radius: 10px; background: var(--warn-tint); color: var(--warn); font-weight: 550; }
.notice.good { background: var(--good-tint); color: var(--good); }
.notice.bad { background: var(--bad-tint); color: var(--bad); }
.notice ul { margin-top: .25rem; font-weight: 400; }

.charts { display: grid; gap: .875rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); }
.chart { display: grid; gap: .75rem; align-content: start; }
.chart figcaption p { color: var(--soft); font-size: .9375rem; }
.legend { display: flex; flex-wrap: wrap; gap: .125rem 1rem; color: var(--soft); font-size: .875rem; }
.legend li::before { content: ""; display: inline-block; width: .75rem; height: .75rem; margin-right: .4375rem; border-radius: 3px; vertical-align: -.0625rem; background: var(--swatch); }
.succeeded, .median { --swatch: var(--bar-good); } .failed { --swatch: var(--bar-bad); } .slow { --swatch: var(--bar-slow); } .neither { --swatch: var(--bar-other); }
.plot { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: .25rem .625rem; }
.plot svg { width: 100%; height: 11rem; overflow: visible; }
.y, .x { display: flex; justify-content: space-between; color: var(--soft); font-size: .8125rem; line-height: 1; font-variant-numeric: tabular-nums; }
.y { flex-direction: column; text-align: right; margin-block: -.40625rem; }
.x { grid-column: 2; padding-top: .25rem; }
.grid { stroke: var(--line); stroke-width: 1; vector-effect: non-scaling-stroke; }
rect { fill: var(--swatch); }
path { fill: none; stroke: var(--swatch); stroke-width: 2.5; stroke-linecap: round; stroke-linejoin: round; vector-effect: non-scaling-stroke; }
path.slow { stroke-width: 2; stroke-dasharray: 1 5; }
path.dot { stroke-width: 7; stroke-dasharray: none; }
details > summary { width: fit-content; padding-block: .25rem; color: var(--accent); font-size: .875rem; cursor: pointer; }
table { width: 100%; margin-top: .25rem; border-collapse: collapse; font-size: .875rem; }
th, td { padding: .3125rem .5rem .3125rem 0; border-bottom: 1px solid var(--line); text-align: left; font-weight: 400; }
thead th { color: var(--soft); font-size: .8125rem; vertical-align: bottom; }
th.number, td.number { text-align: right; padding-right: 0; padding-left: .5rem; }

.stages { display: grid; gap: .875rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 17rem), 1fr)); align-items: start; }
.stage:first-child { grid-column: 1 / -1; }
.stage > .quiet { margin-bottom: .625rem; }
.errors { display: grid; }
.errors > li { padding-block: .625rem; border-top: 1px solid var(--line); }
.more { display: flex; flex-wrap: wrap; gap: 0 1.25rem; } .more details[open] { flex: 1 0 100%; }
.error-line { display: grid; grid-template-columns: minmax(0, 11rem) minmax(3rem, 1fr) auto; gap: .75rem; align-items: center; }
.error-line svg { width: 100%; height: 1.75rem; }
.meaning { display: grid; gap: .5rem; margin-top: .5rem; padding: .875rem 1rem; border-radius: 10px; background: var(--ground); font-size: .9375rem; }
.advice { display: grid; gap: .75rem 1.5rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 16rem), 1fr)); }
.advice ul, .advice ol { display: grid; gap: .25rem; padding-left: 1.125rem; list-style: disc; }
.advice ol { list-style: decimal; }
.tag.person { border-color: var(--warn); color: var(--warn); }
.tag { margin-right: .25rem; padding: .125rem .5rem; border: 1px solid var(--line); border-radius: 999px; background: var(--card); font-size: .8125rem; font-weight: 600; }

.list { padding: 0; }
.list > li { display: grid; grid-template-columns: minmax(0, 2.2fr) minmax(0, 1.4fr) minmax(0, 1fr) minmax(0, 1fr); gap: .25rem 1.25rem; align-items: center; padding: .875rem 1.25rem; }
.list > li + li { border-top: 1px solid var(--line); }
.who { display: grid; min-width: 0; }
.name { display: -webkit-box; overflow: hidden; font-weight: 600; overflow-wrap: anywhere; -webkit-box-orient: vertical; -webkit-line-clamp: 2; line-clamp: 2; }
.who code { color: var(--soft); }
.standing { display: flex; flex-wrap: wrap; gap: .25rem .625rem; align-items: center; }
.when .label { display: block; font-size: .8125rem; }
.status { padding: .1875rem .625rem; border-radius: 999px; font-size: .8125rem; font-weight: 600; white-space: nowrap; }
.status::before { content: ""; display: inline-block; width: .5rem; height: .5rem; margin-right: .4375rem; border-radius: 50%; background: currentColor; }
.status.active { color: var(--good); background: var(--good-tint); }
.status.needs_reconnect { color: var(--warn); background: var(--warn-tint); }
.status.needs_reconnect::before { border-radius: 0; transform: rotate(45deg); }
.status.revoked { color: var(--soft); background: var(--gone-tint); }
.pager, .choices { display: flex; flex-wrap: wrap; gap: .75rem; }

.back { margin-bottom: -1.25rem; }
.heading { display: grid; gap: .5rem; }
.columns { display: grid; gap: 1.25rem; align-items: start; }
.stack { display: grid; gap: 1.25rem; min-width: 0; }
@media (min-width: 56rem) { .columns { grid-template-columns: minmax(0, 1fr) 20rem; } .side { grid-column: 2; grid-row: 1; position: sticky; top: 1.25rem; } }
.columns h2 { margin-bottom: .875rem; }
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 14rem), 1fr)); gap: 1rem 1.5rem; }
.facts dt { color: var(--soft); font-size: .875rem; }
.facts .quiet { display: block; }
.attempts > li { padding-block: .875rem; border-top: 1px solid var(--line); }
.attempts > li:first-child { padding-top: 0; border-top: 0; }
.attempt-line { display: grid; grid-template-columns: 8rem minmax(0, 1fr) auto; gap: .125rem .875rem; align-items: baseline; }
.attempt-facts { display: flex; flex-wrap: wrap; gap: .125rem .875rem; align-items: baseline; }
.attempt-facts { color: var(--soft); font-size: .875rem; }
.outcome.succeeded { color: var(--good); } .outcome.failed { color: var(--bad); }
.actions { display: grid; gap: 1rem; }
.actions h2 { margin: 0; }
.actions .button { width: 100%; }
.actions .quiet { margin-top: .375rem; }
.owners { display: grid; gap: .5rem; }
.owners li { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; justify-content: space-between; }
.callout { border-color: var(--warn); } .callout .meaning { padding: 0; margin-top: .5rem; background: none; }
.question { display: grid; gap: .875rem; border-color: var(--bad); }
.link-panel { display: grid; gap: .75rem; }
.message { display: grid; gap: 1rem; justify-items: start; max-width: 38rem; margin: 2rem auto; padding: clamp(1.25rem, 5vw, 2.25rem); }
footer { padding-block: 0 2rem; color: var(--soft); font-size: .875rem; }
@media (max-width: 44rem) {
  h1 { font-size: 1.5rem; }
  .card, .tile { padding: 1rem; }
  .list { padding: 0; }
  .list > li { grid-template-columns: 1fr 1fr; padding: .875rem 1rem; }
  .who, .list .standing { grid-column: 1 / -1; }
  .tiles { grid-template-columns: 1fr 1fr; gap: .625rem; }
  .statuses { grid-template-columns: 1fr; }
  .statuses .tile a { grid-template-columns: 1fr auto; align-items: baseline; }
  .tile-figure { font-size: 1.5rem; }
  .attempt-line { grid-template-columns: minmax(0, 1fr) auto; } .attempt-line > span:nth-of-type(1) { grid-row: 2; grid-column: 1 / -1; }
  .search .button { flex: 1 1 100%; }
  .error-line { grid-template-columns: minmax(0, 8.5rem) minmax(2rem, 1fr) auto; }
  .plot svg { height: 9rem; }
}
`;
