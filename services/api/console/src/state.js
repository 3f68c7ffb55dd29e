import { signal } from '@preact/signals';
import { get, signIn, stream } from './api.js';

// Where the browser is: #/customers/ID. The id stays behind the hash, so that no server ever logs it.
const decoded = (text) => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // typed by hand: "100%"
  }
};
const read_route = () => {
  const [page, ...rest] = location.hash.replace(/^#\/?/, '').split('/');
  return { page: page || 'overview', argument: rest.length ? decoded(rest.join('/')) : '' };
};
export const route = signal(read_route());
addEventListener('hashchange', () => {
  route.value = read_route();
});
export const link = (page, argument) => `#/${page}${argument === undefined ? '' : `/${encodeURIComponent(argument)}`}`;

// What the whole console lives from: lifecycle and status every two seconds, transitions as they happen.
export const lifecycle = signal(null);
export const status = signal(null);
export const rates = signal([]); // {at, events, lag}: the last ten minutes
export const connection = signal('connecting');
export const feed = signal([]); // newest first
export const moves = signal([]); // the stage moves among them, which tags must not push out
export const newest_move = signal(null); // {from, to, seen}
export const trouble = signal(null);

const kFeed = 60;
const kHour = 3600e3;
const kUnseen = 20e3;

// What the moves' totals were, so that a window's moves are a difference: the stream may tell thousands a second.
const totals = [];
export function moves_since(minutes) {
  const now = totals.at(-1);
  const then = totals.find((sample) => sample.at >= Date.now() - minutes * 60e3);
  return (lifecycle.value?.moves ?? []).map((move) => ({ ...move, count: now.made.get(move.name) - (then.made.get(move.name) ?? 0) }));
}
// The page knows of no moves before it was opened: how long a window it can speak of.
export const watched = () => (totals.length > 0 ? Date.now() - totals[0].at : 0);
function note_totals(stages) {
  const at = Date.now();
  while (totals.length > 0 && totals[0].at < at - kHour) totals.shift();
  totals.push({ at, made: new Map(stages.moves.map((move) => [move.name, move.total])) });
}

let seen = null;
function note_rates(now, counted) {
  if (seen && counted.events >= seen.events && now > seen.now) {
    const events = ((counted.events - seen.events) * 1000) / (now - seen.now);
    rates.value = [...rates.value.filter((rate) => rate.at > now - 600e3), { at: now, events, lag: counted.lag }];
  }
  seen = { now, ...counted };
}

async function poll() {
  try {
    const [stages, now] = await Promise.all([get('/v1/lifecycle'), get('/v1/status')]);
    note_totals(stages);
    lifecycle.value = stages;
    status.value = now;
    trouble.value = null;
    const sum = (field) => now.partitions.reduce((all, partition) => all + (partition[field] ?? 0), 0);
    note_rates(Date.now(), { events: sum('events'), lag: sum('lag') });
  } catch (error) {
    trouble.value = error.status === 401 ? null : error;
  }
}

// Shown together, at most five times a second.
let arrived = [];
function note_transition(line) {
  if (arrived.length === 0) setTimeout(show_arrived, 200);
  arrived.push({ ...line, seen: Date.now() });
}
function show_arrived() {
  const move = arrived.findLast((line) => line.type === 'move');
  if (move) newest_move.value = move;
  arrived.reverse();
  feed.value = [...arrived, ...feed.value].slice(0, kFeed);
  moves.value = [...arrived.filter((line) => line.type === 'move'), ...moves.value].slice(0, kFeed);
  arrived = [];
}

export function start() {
  poll();
  setInterval(() => {
    if (!document.hidden && !signIn.value) poll();
  }, 2000);
  let was_asked = false;
  signIn.subscribe((asked) => {
    if (was_asked && !asked) poll();
    was_asked = Boolean(asked);
  });
  watch();
  // A browser has six connections for all tabs of a service: tabs that nobody looks at let go of theirs.
  let leaving = null;
  document.addEventListener('visibilitychange', () => {
    clearTimeout(leaving);
    if (document.hidden) leaving = setTimeout(unwatch, kUnseen);
    else watch();
  });
}

let watching = null;
function watch() {
  if (watching) return;
  watching = new AbortController();
  stream('/v1/transitions', {
    on_event: (event) => {
      const line = JSON.parse(event.data);
      note_transition(event.type === 'gap' ? { ...line, type: 'gap' } : line);
    },
    on_state: (state) => {
      connection.value = state;
    },
    signal: watching.signal,
  });
}
function unwatch() {
  watching?.abort();
  watching = null;
}
