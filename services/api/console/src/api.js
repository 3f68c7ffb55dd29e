import { effect, signal } from '@preact/signals';

// The token lives as long as the tab. Null: none was needed so far.
const stored = () => {
  try {
    return sessionStorage.getItem('segue.token');
  } catch {
    return null;
  }
};
export const token = signal(stored());
// 'asked': the service wants a token; 'refused': it did not take this one.
export const signIn = signal(null);

export const giveToken = (value) => {
  token.value = value;
  signIn.value = null;
  try {
    sessionStorage.setItem('segue.token', value);
  } catch {
    // Then it is asked for again after a reload.
  }
};

// A problem+json answer, or a service that cannot be reached.
export class ApiError extends Error {
  constructor(status, problem) {
    super(problem?.detail || problem?.title || `HTTP ${status}`);
    this.status = status;
    this.problem = problem;
  }
}

const headers = (more = {}) => (token.value ? { authorization: `Bearer ${token.value}`, ...more } : more);

async function send(path, options = {}) {
  const response = await fetch(path, { ...options, headers: headers(options.headers) });
  if (response.status === 401) signIn.value = token.value ? 'refused' : 'asked';
  if (!response.ok) throw new ApiError(response.status, await response.json().catch(() => null));
  return response;
}

export const get = async (path) => (await send(path)).json();
export const post = async (path, body, options = {}) =>
  (
    await send(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      ...options,
    })
  ).json();
// Only while what was read under this tag still stands.
export const put = (path, body, tag) =>
  post(path, body, { method: 'PUT', headers: { 'content-type': 'application/json', 'if-match': `"${tag}"` } });
export const send_delete = (path) => send(path, { method: 'DELETE' });
// `for_excel`: with the mark without which it takes UTF-8 for the machine's own encoding, and 女装 for rubbish.
export const download = async (path, body, name, for_excel = false) => {
  const response = await send(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const blob = await response.blob();
  const url = URL.createObjectURL(for_excel ? new Blob(['\ufeff', blob], { type: blob.type }) : blob);
  const link = Object.assign(document.createElement('a'), { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60e3);
};
export const user_path = (id) => `/v1/profiles/${encodeURIComponent(id)}`;

const signed_in = () =>
  new Promise((resolve) => {
    const end = effect(() => {
      if (token.value && signIn.value === null) queueMicrotask(() => (end(), resolve()));
    });
  });

// Server-Sent Events by fetch: EventSource cannot send a token. Goes on by itself with Last-Event-ID; `signal` ends it.
export async function stream(path, { on_event, on_state, signal }) {
  let last_id = null;
  let wait = 500;
  while (!signal.aborted) {
    try {
      on_state('connecting');
      const response = await send(path, {
        headers: { accept: 'text/event-stream', ...(last_id === null ? {} : { 'last-event-id': last_id }) },
        signal,
      });
      on_state('live');
      wait = 500;
      for await (const event of events_of(response.body)) {
        if (event.id !== undefined) last_id = event.id;
        if (event.data) on_event(event);
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error.status === 401) await signed_in();
    }
    on_state('connecting');
    await new Promise((resolve) => setTimeout(resolve, wait));
    wait = Math.min(wait * 2, 15e3);
  }
}

async function* events_of(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  let event = { data: '' };
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split('\n');
    rest = lines.pop();
    for (const line of lines) {
      if (line === '' || line === '\r') {
        if (event.data || event.id !== undefined) yield event;
        event = { data: '' };
        continue;
      }
      const colon = line.indexOf(':');
      if (colon === 0) continue;
      const field = colon < 0 ? line : line.slice(0, colon);
      const content = (colon < 0 ? '' : line.slice(colon + 1)).replace(/^ /, '').replace(/\r$/, '');
      if (field === 'data') event.data += (event.data ? '\n' : '') + content;
      if (field === 'id') event.id = content;
      if (field === 'event') event.type = content;
    }
  }
}
