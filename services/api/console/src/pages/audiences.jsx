import { useEffect, useRef, useState } from 'preact/hooks';
import { download, get, post } from '../api.js';
import { number, percent, t } from '../i18n.js';
import { link } from '../state.js';
import { Trouble } from '../parts/trouble.jsx';

const kPage = 25;
// Of an export: what a mailing wants to know of each.
const kColumns = ['user_id', 'stage', 'orders', 'spend', 'last_purchase', 'last_seen', 'tags'];
const kShown = 12;
const joins = { include: 'and', either: 'or', exclude: 'and not' };

export function Audiences() {
  const [expression, set_expression] = useState('all');
  const [answer, set_answer] = useState(null);
  const [error, set_error] = useState(null);
  const [join, set_join] = useState('include');
  const [members, set_members] = useState(null);
  const latest = useRef(0);

  const wanted = expression.trim() || 'all';
  // Counted while it is typed and again every few seconds; an answer that a newer question has overtaken is dropped.
  useEffect(() => {
    const mine = ++latest.current;
    const mine_only = (set) => (value) => mine === latest.current && set(value);
    const count = async () => {
      const counted = await post('/v1/audiences/count', { expressions: [wanted] });
      mine_only(set_answer)(counted);
      mine_only(set_error)(null);
    };
    const refuse = mine_only((problem) => {
      set_error(problem);
      if (problem.status === 400) (set_answer(null), set_members(null));
    });
    const list = async () => mine_only(set_members)(await post('/v1/audiences/users', { expression: wanted, limit: kPage }));
    const first = setTimeout(() => count().then(list).catch(refuse), 150);
    const again = setInterval(() => document.hidden || count().catch(refuse), 5e3);
    return () => (clearTimeout(first), clearInterval(again));
  }, [wanted]);

  const add = (set) => {
    const whole = / (and|or) /i.test(expression) ? `(${wanted})` : wanted;
    if (wanted.toLowerCase() === 'all') set_expression(join === 'exclude' ? `not ${set.expression}` : set.expression);
    else if (join === 'either') set_expression(`${whole} or ${set.expression}`);
    else set_expression(`${/ or /i.test(expression) ? whole : wanted} ${joins[join]} ${set.expression}`);
  };
  const more = async () => {
    const mine = latest.current;
    try {
      const page = await post('/v1/audiences/users', { expression: wanted, limit: kPage, cursor: members.cursor });
      if (mine === latest.current) set_members({ ...page, user_ids: [...members.user_ids, ...page.user_ids] });
    } catch (problem) {
      set_error(problem);
    }
  };
  const save = (format) => download(`/v1/audiences/export?format=${format}`, { expression: wanted, columns: kColumns }, `audience.${format}`, format === 'csv').catch(set_error);
  const users = answer?.users ?? 0;
  const count = answer?.counts[0].users;
  return (
    <div class="audiences">
      <section class="card wide">
        <h1>{t('audiences')}</h1>
        <p class="quiet">{t('audienceHint')}</p>
        <div class="builder">
          <input id="expression" class={error?.status === 400 ? 'wrong' : ''} value={expression} spellcheck={false} onInput={(event) => set_expression(event.target.value)} aria-label={t('expression')} />
          <button onClick={() => set_expression('all')}>{t('clear')}</button>
        </div>
        {error && <Trouble error={error} />}
        <div class="answer">
          <b id="audience-count" aria-live="polite">
            {count == null ? '–' : number(count)}
          </b>{' '}
          {t('count')}
          {users > 0 && count != null && <span class="quiet"> · {t('ofAll', percent(count / users))}</span>}
          <span class="bar-track big">
            <span style={{ width: `${users > 0 && count != null ? (100 * count) / users : 0}%` }} />
          </span>
          <button disabled={!count} onClick={() => save('csv')}>
            {t('exportCsv')}
          </button>
          <button disabled={!count} onClick={() => save('ndjson')}>
            {t('exportNdjson')}
          </button>
        </div>
      </section>
      <Picker join={join} set_join={set_join} add={add} />
      <section class="card">
        <h2>{t('sample')}</h2>
        {members?.user_ids.length === 0 && <p class="quiet">{t('nobody')}</p>}
        <ul class="members">
          {(members?.user_ids ?? []).map((id) => (
            <li key={id}>
              <a href={link('customers', id)}>{id}</a>
            </li>
          ))}
        </ul>
        {members?.cursor && <button onClick={more}>{t('more')}</button>}
      </section>
    </div>
  );
}

function Picker({ join, set_join, add }) {
  const [filter, set_filter] = useState('');
  const [shown_of, set_shown_of] = useState({});
  const [sets, set_sets] = useState(null);
  const [truncated, set_truncated] = useState(false);
  const [error, set_error] = useState(null);
  // A shop may have more tags than one answer holds: then the service looks among all of them.
  const asked = truncated ? filter.trim() : '';
  useEffect(() => {
    let is_over = false;
    const load = async () => {
      try {
        const answer = await get(`/v1/audiences/sets${asked ? `?contains=${encodeURIComponent(asked)}` : ''}`);
        if (is_over) return;
        set_sets(answer.sets);
        if (!asked) set_truncated(answer.truncated);
        set_error(null);
      } catch (problem) {
        if (!is_over) set_error(problem);
      }
    };
    const first = setTimeout(load, asked ? 200 : 0);
    const again = setInterval(() => document.hidden || load(), 10e3);
    return () => {
      is_over = true;
      clearTimeout(first);
      clearInterval(again);
    };
  }, [asked]);
  const shown = (sets ?? []).filter((set) => set.expression.toLowerCase().includes(filter.trim().toLowerCase()));
  const most = Math.max(1, ...shown.map((set) => set.users));
  return (
    <section class="card">
      <div class="head">
        <h2>{t('addCondition')}</h2>
        <div class="segmented" role="group">
          {Object.keys(joins).map((name) => (
            <button key={name} aria-pressed={join === name} onClick={() => set_join(name)}>
              {t(name)}
            </button>
          ))}
        </div>
      </div>
      {error && <Trouble error={error} />}
      <input type="search" placeholder={t('filter')} aria-label={t('filter')} value={filter} onInput={(event) => set_filter(event.target.value)} />
      {[
        ['stage', 'stages'],
        ['segment', 'segments'],
        ['tag', 'tags'],
      ].map(([kind, title]) => {
        const rows = shown.filter((set) => set.kind === kind);
        if (rows.length === 0) return null;
        return (
          <div key={kind}>
            <h3>{t(title)}</h3>
            {rows.slice(0, shown_of[kind] ?? kShown).map((set) => (
              <button class="bar-row pick" key={set.expression} data-set={set.expression} onClick={() => add(set)}>
                <span>{set.key ? `${set.name} · ${set.key}` : set.name}</span>
                <span class="bar-track">
                  <span style={{ width: `${(100 * set.users) / most}%` }} />
                </span>
                <span class="right">{number(set.users)}</span>
              </button>
            ))}
            {rows.length > (shown_of[kind] ?? kShown) && (
              <button class="plain" onClick={() => set_shown_of({ ...shown_of, [kind]: (shown_of[kind] ?? kShown) + 50 })}>
                {t('showMore', number(rows.length - (shown_of[kind] ?? kShown)))}
              </button>
            )}
          </div>
        );
      })}
      {sets && shown.length === 0 && <p class="quiet">{t('none')}</p>}
    </section>
  );
}
