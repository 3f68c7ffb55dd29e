import { useEffect, useRef, useState } from 'preact/hooks';
import { download, get, post } from '../api.js';
import { number, percent, t } from '../i18n.js';
import { lifecycle, link } from '../state.js';
import { Trouble } from '../parts/trouble.jsx';

const kPage = 25;
const joins = { include: 'and', either: 'or', exclude: 'and not' };

export function Audiences() {
  const [expression, set_expression] = useState('all');
  const [answer, set_answer] = useState(null);
  const [error, set_error] = useState(null);
  const [sets, set_sets] = useState([]);
  const [join, set_join] = useState('include');
  const [members, set_members] = useState(null);
  const latest = useRef(0);

  useEffect(() => {
    get('/v1/audiences/sets').then((answer) => set_sets(answer.sets), set_error);
  }, []);
  // Counted while it is typed; an answer that a newer question has overtaken is dropped.
  useEffect(() => {
    const mine = ++latest.current;
    const timer = setTimeout(async () => {
      try {
        const counted = await post('/v1/audiences/count', { expressions: [expression || 'all'] });
        if (mine !== latest.current) return;
        set_answer(counted.counts[0]);
        set_error(null);
        set_members(await post('/v1/audiences/users', { expression: expression || 'all', limit: kPage }));
      } catch (problem) {
        if (mine === latest.current) set_error(problem);
      }
    }, 150);
    return () => clearTimeout(timer);
  }, [expression]);

  const add = (set) => {
    if (expression === '' || expression === 'all') set_expression(join === 'exclude' ? `not ${set.expression}` : set.expression);
    else if (join === 'include' && !/ or /.test(expression)) set_expression(`${expression} and ${set.expression}`);
    else set_expression(`${/ (and|or) /.test(expression) ? `(${expression})` : expression} ${joins[join]} ${set.expression}`);
  };
  const more = async () => {
    const page = await post('/v1/audiences/users', { expression: expression || 'all', limit: kPage, cursor: members.cursor });
    set_members({ ...page, user_ids: [...members.user_ids, ...page.user_ids] });
  };
  const users = lifecycle.value?.users ?? 0;
  const count = answer?.users;
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
          <b id="audience-count">{count == null ? '–' : number(count)}</b> {t('count')}
          {users > 0 && count != null && <span class="quiet"> · {t('ofAll', percent(count / users))}</span>}
          <span class="bar-track big">
            <span style={{ width: `${users > 0 && count != null ? (100 * count) / users : 0}%` }} />
          </span>
          <button onClick={() => download('/v1/audiences/export?format=ndjson', { expression }, 'audience.ndjson').catch(set_error)}>{t('exportNdjson')}</button>
          <button onClick={() => download('/v1/audiences/export?format=csv', { expression }, 'audience.csv').catch(set_error)}>{t('exportCsv')}</button>
        </div>
      </section>
      <Picker sets={sets} join={join} set_join={set_join} add={add} />
      <section class="card">
        <h2>{t('sample')}</h2>
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

function Picker({ sets, join, set_join, add }) {
  const [filter, set_filter] = useState('');
  const shown = sets.filter((set) => set.expression.toLowerCase().includes(filter.toLowerCase()));
  const most = Math.max(1, ...sets.map((set) => set.users));
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
            {rows.slice(0, 40).map((set) => (
              <button class="bar-row pick" key={set.expression} data-set={set.expression} onClick={() => add(set)}>
                <span>{set.key ? `${set.name} · ${set.key}` : set.name}</span>
                <span class="bar-track">
                  <span style={{ width: `${(100 * set.users) / most}%` }} />
                </span>
                <span class="right">{number(set.users)}</span>
              </button>
            ))}
          </div>
        );
      })}
    </section>
  );
}
