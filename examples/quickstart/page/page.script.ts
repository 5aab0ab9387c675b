/**
 * What the page does better with a script: it stays where it is, says that it works, and hands the focus back. Without
 * one the forms are sent as forms are.
 */
export const SCRIPT = `
document.addEventListener('submit', async (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || form.method !== 'post') return;
  event.preventDefault();
  const result = document.getElementById('result');
  if (result.getAttribute('aria-busy') === 'true') return;
  result.setAttribute('aria-busy', 'true');
  form.querySelector('button').setAttribute('aria-disabled', 'true');
  try {
    const answer = await fetch(form.action, { method: 'POST', body: new URLSearchParams(new FormData(form)) });
    const text = await answer.text();
    // Not the head: its style carries another nonce than ours, and would be reported as a violation.
    const next = new DOMParser().parseFromString(text.slice(text.indexOf('<body')), 'text/html');
    if (!answer.ok || next.getElementById('result') === null) return location.reload();
    history.replaceState(null, '', '/');
    const pressed = form.getAttribute('action');
    for (const id of ['notice', 'workspaces', 'result']) {
      document.getElementById(id).replaceChildren(...next.getElementById(id).childNodes);
    }
    const again = document.querySelector('form[action="' + CSS.escape(pressed) + '"] button');
    (again ?? result).focus({ preventScroll: true });
    result.scrollIntoView({ block: 'nearest' });
  } catch {
    location.reload();
  } finally {
    result.removeAttribute('aria-busy');
  }
});
`;
