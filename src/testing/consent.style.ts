export const CONSENT_STYLE = `
:root {
  color-scheme: light dark;
  --ground: #f7f6f3; --card: #ffffff; --ink: #23211e; --soft: #625e58; --line: #dcd9d3; --tint: #f1f5fd;
  --accent: #1f5fd0; --accent-ink: #ffffff; --accent-strong: #184da9;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #191919; --card: #232323; --ink: #ecebe9; --soft: #b3b0aa; --line: #45433f; --tint: #22304a;
    --accent: #8ab4ff; --accent-ink: #10203d; --accent-strong: #a9c7ff;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; min-height: 100vh; display: flex; flex-direction: column; background: var(--ground); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
header, footer { padding: 1rem 1.25rem; color: var(--soft); font-size: .875rem; text-align: center; }
header p, footer p { margin: 0; }
header p { font-weight: 600; color: var(--ink); }
header span { font-weight: 400; color: var(--soft); }
main { flex: 1; width: 100%; max-width: 29rem; margin: 0 auto; padding: 0 1rem; }
form, .refusal { background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 1.75rem 1.5rem; }
.brand { display: flex; gap: .75rem; justify-content: center; align-items: center; margin: 0 0 1rem; color: var(--soft); }
.brand i { font-style: normal; }
.brand span {
  display: grid; place-items: center; width: 2.75rem; height: 2.75rem; border: 1px solid var(--line); border-radius: 10px;
  font-weight: 700; font-size: 1.2rem; color: var(--ink);
}
h1 { margin: 0 0 .375rem; font-size: 1.3rem; line-height: 1.3; font-weight: 500; text-align: center; overflow-wrap: anywhere; }
.lead { margin: 0 0 1.25rem; color: var(--soft); text-align: center; }
fieldset { margin: 1.25rem 0 0; padding: 0; border: 0; min-width: 0; }
legend, .person label { padding: 0; margin-bottom: .375rem; font-weight: 600; font-size: .9rem; }
.person label { display: block; }
select {
  width: 100%; min-height: 2.75rem; padding: 0 .625rem; font: inherit; color: inherit; background: var(--card);
  border: 1px solid var(--soft); border-radius: 8px;
}
.choice {
  display: flex; align-items: center; gap: .625rem; min-height: 2.75rem; padding: .375rem .75rem; margin-top: -1px;
  border: 1px solid var(--line); cursor: pointer;
}
.choice:first-of-type { border-radius: 8px 8px 0 0; }
.choice:last-of-type { border-radius: 0 0 8px 8px; }
.choice:first-of-type:last-of-type { border-radius: 8px; }
.choice:has(:checked) { background: var(--tint); }
.choice input { margin: 0; width: 1.125rem; height: 1.125rem; flex: none; accent-color: var(--accent); }
.choice span { min-width: 0; overflow-wrap: anywhere; }
.tile {
  flex: none; display: grid; place-items: center; width: 1.625rem; height: 1.625rem; border-radius: 6px;
  border: 1px solid var(--line); background: var(--card); color: var(--soft); font-weight: 600; font-size: .8rem;
}
.actions { display: grid; grid-template-columns: 1fr 1.5fr; gap: .75rem; margin-top: 1.75rem; }
button {
  min-height: 2.75rem; font: inherit; font-weight: 600; border-radius: 8px; border: 1px solid var(--soft);
  background: transparent; color: inherit; cursor: pointer;
}
button.primary { background: var(--accent); border-color: var(--accent); color: var(--accent-ink); }
button.primary:hover { background: var(--accent-strong); }
button:not(.primary):hover { background: var(--ground); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
@media (max-width: 22rem) { form, .refusal { padding: 1.25rem 1rem; } }
`;

/** Shows only the page picker of the chosen workspace; browsers without `:has()` show them all. */
export function workspaceStyle(workspaces: number): string {
  const rules = Array.from({ length: workspaces }, (_, index) => {
    const shown = `form:has(#workspace-${index}:checked) .pages[data-workspace="${index}"]`;
    return `${shown} { display: block; }`;
  });
  return `@supports selector(:has(*)) { .pages { display: none; } ${rules.join(' ')} }\n`;
}
