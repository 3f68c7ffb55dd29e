import { useEffect, useState } from 'preact/hooks';
import { get, user_path } from '../api.js';
import { duration, number, percent, t, time } from '../i18n.js';
import { feed, link } from '../state.js';
import { Stage, cause } from '../parts/transition.jsx';
import { Loading, Trouble } from '../parts/trouble.jsx';

export function Customers({ argument }) {
  const submit = (event) => {
    event.preventDefault();
    location.hash = link('customers', new FormData(event.target).get('id').trim());
  };
  return (
    <div class="customers">
      <form class="search" onSubmit={submit}>
        <input key={argument} name="id" type="search" value={argument} placeholder={t('findCustomer')} aria-label={t('findCustomer')} required autofocus={!argument} />
        <button class="primary">{t('find')}</button>
      </form>
      {argument ? <Customer key={argument} id={argument} /> : <Nobody />}
    </div>
  );
}

// Nobody is asked for yet: whom the stream has just told of.
function Nobody() {
  const users = [...new Set(feed.value.map((line) => line.user_id).filter(Boolean))].slice(0, 12);
  return (
    <div class="centre">
      <p class="quiet">{t('findHint')}</p>
      {users.length > 0 && (
        <>
          <h3>{t('recent')}</h3>
          <ul>
            {users.map((id) => (
              <li key={id}>
                <a href={link('customers', id)}>{id}</a>
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}

function Customer({ id }) {
  const [profile, set_profile] = useState(null);
  const [history, set_history] = useState(null);
  const [similar, set_similar] = useState(null);
  const [error, set_error] = useState(null);
  const load = async () => {
    try {
      const [now, moves] = await Promise.all([get(`${user_path(id)}?explain=true`), get(`${user_path(id)}/history`)]);
      set_profile(now);
      set_history(moves);
      set_error(null);
    } catch (problem) {
      set_error(problem);
    }
  };
  useEffect(() => {
    load();
    get(`${user_path(id)}/similar?limit=8`).then(set_similar, () => set_similar(null));
  }, []);
  // What the stream tells about this customer is shown at once.
  const told = feed.value.find((line) => line.user_id === id)?.id;
  useEffect(() => {
    if (told) load();
  }, [told]);
  if (error?.status === 404) return <p class="quiet centre">{t('notFound')}</p>;
  if (error) return <Trouble error={error} retry={load} />;
  if (!profile) return <Loading />;
  return (
    <div class="customer">
      <Head id={id} profile={profile} />
      <div class="stack">
        <Why explanation={profile.explanation} />
        <Affinities affinities={profile.affinities} />
      </div>
      <div class="stack">
        <Timeline history={history} />
        <Counters counters={profile.counters} />
        {Object.keys(profile.traits ?? {}).length > 0 && <Facts title={t('traits')} entries={Object.entries(profile.traits)} />}
        {profile.cart?.length > 0 && <Facts title={t('cart')} entries={profile.cart.map((line) => [line.item_id, time(line.added)])} />}
        {similar?.users?.length > 0 && <Similar users={similar.users} />}
      </div>
      <details class="card wide">
        <summary>{t('rawJson')}</summary>
        <pre>{JSON.stringify(profile, null, 2)}</pre>
      </details>
    </div>
  );
}

function Head({ id, profile }) {
  const { lifecycle = {}, segments = [], tags = [], counters = {} } = profile;
  const next = lifecycle.leaves_at != null ? t('leavesTo', time(lifecycle.leaves_at), lifecycle.leaves_to) : t('neverByTime');
  return (
    <section class="card wide person">
      <div>
        <h1>{id}</h1>
        {lifecycle.stage && (
          <p>
            <Stage name={lifecycle.stage} /> {lifecycle.since != null && <span class="quiet">{t('stageSince', time(lifecycle.since))}</span>}
          </p>
        )}
        <p class="quiet">{next}</p>
      </div>
      <dl class="figures">
        <div>
          <dt>{t('orders')}</dt>
          <dd>{number(counters.orders ?? 0)}</dd>
        </div>
        <div>
          <dt>{t('spend')}</dt>
          <dd>{number(counters.spend ?? 0, { maximumFractionDigits: 2 })}</dd>
        </div>
        <Moment name="lastPurchase" at={counters.last_purchase} />
        <Moment name="lastSeen" at={profile.last_seen} />
      </dl>
      <Chips title={t('segments')} sets={segments} />
      <Chips title={t('tags')} sets={tags} />
    </section>
  );
}

function Moment({ name, at }) {
  return (
    <div>
      <dt>{t(name)}</dt>
      <dd class="date">{at == null ? t('never') : time(at)}</dd>
    </div>
  );
}

function Chips({ title, sets }) {
  return (
    <div class="chips">
      <h3>{title}</h3>
      {sets.length === 0 && <span class="quiet">{t('none')}</span>}
      {sets.map((set) => (
        <span class="chip" key={`${set.name} ${set.key}`} title={set.leaves_at == null ? '' : t('leavesAt', time(set.leaves_at))}>
          {set.key ? `${set.name} · ${set.key}` : set.name}
        </span>
      ))}
    </div>
  );
}

function Why({ explanation }) {
  if (!explanation) return null;
  const sets = [...(explanation.segments ?? []), ...(explanation.tags ?? [])];
  const inside = sets.filter((rule) => rule.member);
  const outside = sets.filter((rule) => !rule.member);
  return (
    <section class="card" id="why">
      <h2>{t('why')}</h2>
      <Conditions title={t('whyMoves')} rules={explanation.moves ?? []} />
      <Conditions title={t('whySets')} rules={inside.slice(0, kShown)} />
      <Folded title={t('whyMore', number(inside.length - kShown))} rules={inside.slice(kShown)} />
      <Folded title={t('whyNot', number(outside.length))} rules={outside} />
    </section>
  );
}

// One customer may stand in, or outside of, a set for each of a hundred items.
const kShown = 8;
function Folded({ title, rules }) {
  if (rules.length === 0) return null;
  return (
    <details class="folded">
      <summary>{title}</summary>
      <Conditions rules={rules} />
    </details>
  );
}

function Conditions({ title, rules }) {
  if (rules.length === 0) return null;
  return (
    <>
      {title && <h3>{title}</h3>}
      <ul class="why">
        {rules.map((rule) => (
          <li key={`${rule.name} ${rule.key}`} class={(rule.member ?? rule.value) ? 'holds' : 'fails'}>
            <p>
              <b>{rule.key ? `${rule.name} · ${rule.key}` : rule.name}</b>{' '}
              {rule.to && (
                <>
                  → <Stage name={rule.to} />
                </>
              )}
              <span class="quiet">
                {rule.on?.length > 0 && ` ${t('on', rule.on.map((type) => t(`type_${type}`)).join(', '))}`}
                {rule.changes_at != null && ` · ${t('leavesAt', time(rule.changes_at))}`}
              </span>
            </p>
            <p>
              {rule.conditions?.length > 0
                ? rule.conditions.map((condition, i) => (
                    <span class={`compared ${condition.value ? 'yes' : 'no'}`} key={i} title={condition.value ? t('holds') : t('holdsNot')}>
                      <code>{condition.text}</code> <b>{compared(condition)}</b>
                    </span>
                  ))
                : rule.when && <code>{rule.when}</code>}
            </p>
          </li>
        ))}
      </ul>
    </>
  );
}

function compared({ compared: value, unit }) {
  if (value == null) return t('unknownValue');
  if (unit === 'time_ms') return time(value);
  if (unit === 'duration_ms') return duration(value);
  return typeof value === 'number' ? number(value) : String(value);
}

function Timeline({ history }) {
  const moves = [...(history?.moves ?? [])].reverse();
  return (
    <section class="card">
      <h2>{t('timeline')}</h2>
      <p class="quiet">{t('timelineHint')}</p>
      <ol class="timeline">
        {moves.map((move) => (
          <li key={move.n}>
            <time>{time(move.at)}</time>
            <p>
              <Stage name={move.from} /> <span class="arrow">→</span> <Stage name={move.to} />
            </p>
            <p class="quiet">
              {move.name} · {cause(move.cause)} {move.event_id && <code>{move.event_id}</code>}
            </p>
          </li>
        ))}
      </ol>
      {history && !history.complete && <p class="quiet">{t('earlier')}</p>}
      {moves.length === 0 && <p class="quiet">{t('none')}</p>}
    </section>
  );
}

function Affinities({ affinities = {} }) {
  return (
    <section class="card">
      <h2>{t('affinities')}</h2>
      {['category', 'brand', 'item'].map((scope) => {
        const entries = affinities[scope] ?? [];
        const most = Math.max(1e-9, ...entries.map((entry) => entry.weight));
        if (entries.length === 0) return null;
        return (
          <div key={scope}>
            <h3>{t(scope)}</h3>
            {entries.slice(0, 6).map((entry) => (
              <div class="bar-row" key={entry.name}>
                <span>{entry.name}</span>
                <span class="bar-track">
                  <span style={{ width: `${(100 * entry.weight) / most}%` }} />
                </span>
                <span class="right">{number(entry.weight, { maximumFractionDigits: 2 })}</span>
              </div>
            ))}
          </div>
        );
      })}
    </section>
  );
}

function Counters({ counters = {} }) {
  const events = Object.entries(counters.events ?? {});
  return <Facts title={t('counters')} entries={events.map(([type, { count }]) => [t(`type_${type}`), number(count)])} short />;
}

function Facts({ title, entries, short = false }) {
  return (
    <section class="card">
      <h2>{title}</h2>
      {entries.length === 0 && <p class="quiet">{t('none')}</p>}
      <dl class={short ? 'facts short' : 'facts'}>
        {entries.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{String(value)}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function Similar({ users }) {
  return (
    <section class="card">
      <h2>{t('similar')}</h2>
      {users.map((user) => (
        <div class="bar-row" key={user.user_id}>
          <a href={link('customers', user.user_id)}>{user.user_id}</a>
          <span class="bar-track">
            <span style={{ width: `${100 * Math.max(0, user.similarity)}%` }} />
          </span>
          <span class="right">{percent(user.similarity)}</span>
        </div>
      ))}
    </section>
  );
}
