// The pages of the microservice. Whatever a person or the gateway wrote is inserted as text.

const style = `<style>
  :root { color-scheme: light dark; }
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 38rem; margin: 3rem auto; padding: 0 1.25rem; }
  label { display: block; font-weight: 600; margin: 1rem 0 .25rem; }
  input { box-sizing: border-box; width: 100%; padding: .5rem .6rem; font: .95rem ui-monospace, monospace; }
  button { margin-top: 1.25rem; padding: .5rem 1.4rem; font: inherit; font-weight: 600; }
  dt { font-weight: 600; margin-top: .75rem; } dd { margin: 0; font-family: ui-monospace, monospace; overflow-wrap: anywhere; }
</style>`

function page(title: string, body: string): string {
  return `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${escaped(title)}</title>${style}</head>
<body><h1>${escaped(title)}</h1>${body}</body></html>
`
}

export const formPage = page('HMAC signature', `
<form action="/lambdasubmit" method="post" autocomplete="off">
  <label for="callback">Callback</label><input id="callback" name="Callback">
  <label for="client-id">ClientID</label><input id="client-id" name="ClientID">
  <label for="client-secret">ClientSecret</label><input id="client-secret" name="ClientSecret" type="password">
  <button>Submit</button>
</form>`)

export function resultPage(answer: Readonly<Record<string, unknown>>): string {
  const rows = Object.entries(answer).map(([name, value]) => `<dt>${escaped(name)}</dt><dd>${escaped(String(value))}</dd>`)
  return page('The signature', `<dl>${rows.join('')}</dl><p><a href="/">Another one</a></p>`)
}

export function failurePage(title: string, text: string): string {
  return page(title, `<p>${escaped(text)}</p><p><a href="/">Back to the form</a></p>`)
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => entities[character]!)
}
