import { signal } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import { get, post, put, send_delete } from '../api.js';
import { number, t } from '../i18n.js';
import { link } from '../state.js';
import { Stage } from '../parts/transition.jsx';
import { Loading, Trouble } from '../parts/trouble.jsx';

// They outlive a look at another page: a draft is work, and a preview takes minutes.
const draft = signal(null);
const begun = signal(null); // {hash, text} that the draft was made from
const preview = signal(null); // as the API tells it, running or done
const running = signal(false);
const preview_error = signal(null);

async function run_preview() {
  running.value = true;
  preview_error.value = null;
  preview.value = null;
  try {
    let answer = await post('/v1/definitions/preview', { text: draft.value });
    while (answer.state === 'running') {
      preview.value = answer;
      await new Promise((resolve) => setTimeout(resolve, 400));
      answer = await get(`/v1/definitions/preview/${answer.id}`);
    }
    if (answer.state === 'failed') preview_error.value = new Error(answer.detail);
    preview.value = answer.state === 'done' ? answer : null;
  } catch (problem) {
    preview.value = null;
    preview_error.value = problem;
  }
  running.value = false;
}

export function Definitions() {
  const [current, set_current] = useState(null);
  const [checked, set_checked] = useState(null);
  const [said, set_said] = useState('');
  const [error, set_error] = useState(null);
  const asked = useRef(0);
  const text = draft.value ?? '';
  const load = async () => {
    try {
      const answer = await get('/v1/definitions');
      set_current(answer);
      if (draft.value === null || draft.value === begun.value?.text) {
        draft.value = answer.text;
        begun.value = answer;
      }
      set_error(null);
    } catch (problem) {
      set_error(problem);
    }
  };
  useEffect(() => {
    load();
  }, []);
  const sweeping = current?.sweep_left > 0;
  useEffect(() => {
    if (!sweeping && !said) return undefined;
    const timer = setInterval(load, 1000);
    return () => clearInterval(timer);
  }, [sweeping, said]);
  // Checked while it is typed; an answer that newer text has overtaken is dropped.
  useEffect(() => {
    if (!text) return undefined;
    const mine = ++asked.current;
    const mine_only = (set) => (value) => mine === asked.current && set(value);
    set_checked(null);
    const timer = setTimeout(() => post('/v1/definitions/check', { text }).then(mine_only(set_checked), mine_only(set_error)), 250);
    return () => clearTimeout(timer);
  }, [text]);
  const edit = (value) => {
    draft.value = value;
    set_said('');
    set_error(null);
  };
  const revert = () => {
    edit(current.text);
    begun.value = current;
  };
  const activate = async () => {
    if (!confirm(t('activateSure'))) return;
    try {
      const answer = await put('/v1/definitions', { text }, begun.value.hash);
      begun.value = { hash: answer.hash, text };
      set_said(t('activated'));
      load();
    } catch (problem) {
      if (problem.status === 412) await load();
      set_error(problem.status === 412 ? new Error(t('changedMeanwhile')) : problem);
    }
  };
  if (!current) return error ? <Trouble error={error} retry={load} /> : <Loading />;
  const mistakes = checked?.errors ?? [];
  const changed = text !== current.text;
  const usable = changed && checked && mistakes.length === 0;
  return (
    <div class="definitions">
      <section class="card">
        <div class="head">
          <h1>{t('definitions')}</h1>
          <span class="quiet">
            {t('inForce')}: <code>{current.hash.slice(0, 12)}</code>
          </span>
        </div>
        <Editor text={text} on_text={edit} mistakes={mistakes} />
        <div class="actions">
          <span class={mistakes.length ? 'bad' : 'good'} id="check-result" role="status">
            {checked ? (mistakes.length ? t(mistakes.length === 1 ? 'oneMistake' : 'mistakes', mistakes.length) : t('checkOk')) : '\u00a0'}
          </span>
          <button id="revert" disabled={!changed} onClick={revert}>
            {t('revert')}
          </button>
          <button class="primary" id="preview" disabled={!usable || running.value} onClick={run_preview}>
            {t('preview')}
          </button>
          <button id="activate" disabled={!usable || running.value || !current.editable} onClick={activate}>
            {t('activate')}
          </button>
        </div>
        <ul class="mistakes">
          {mistakes.map((mistake, i) => (
            <li key={i}>
              <code>
                {mistake.line}:{mistake.column}
              </code>{' '}
              {mistake.message}
            </li>
          ))}
        </ul>
        {!current.editable && <p class="quiet">{t('notEditable')}</p>}
        {said && <p class="good">{said}</p>}
        {current.sweep_left > 0 && <p class="quiet">{t('sweepLeft', number(current.sweep_left))}</p>}
        {error && <Trouble error={error} />}
      </section>
      <section class="card">
        <h2>{t('previewWhat')}</h2>
        {!running.value && !preview.value && !preview_error.value && <p class="quiet">{t('previewHint')}</p>}
        {preview_error.value && <Trouble error={preview_error.value} />}
        {running.value && (
          <>
            <p class="quiet working">{t('previewRunning')}</p>
            <span class="bar-track big">
              <span style={{ width: `${100 * (preview.value?.progress ?? 0)}%` }} />
            </span>
            {preview.value && (
              <p>
                <button onClick={() => send_delete(`/v1/definitions/preview/${preview.value.id}`).catch(set_error)}>{t('cancel')}</button>
              </p>
            )}
          </>
        )}
        {preview.value?.result && <Preview result={preview.value.result} />}
      </section>
    </div>
  );
}

// A text area with line numbers; lines with mistakes are marked.
function Editor({ text, on_text, mistakes }) {
  const gutter = useRef(null);
  const wrong = new Set(mistakes.map((mistake) => mistake.line));
  const lines = text.split('\n').length;
  return (
    <div class="editor">
      <pre class="gutter" ref={gutter} aria-hidden="true">
        {Array.from({ length: lines }, (_, i) => (
          <span key={i} class={wrong.has(i + 1) ? 'wrong' : ''}>
            {`${i + 1}\n`}
          </span>
        ))}
      </pre>
      <textarea
        id="draft"
        spellcheck={false}
        wrap="off"
        value={text}
        aria-label={t('draft')}
        onInput={(event) => on_text(event.target.value)}
        onScroll={(event) => {
          gutter.current.scrollTop = event.target.scrollTop;
        }}
      />
    </div>
  );
}

function Preview({ result }) {
  const { users_in_another_stage: changed, users } = result;
  return (
    <>
      <p class={changed ? 'big-note' : 'good'} id="preview-result">
        {changed ? t('previewUsers', number(changed), number(users)) : t('previewSame')}
      </p>
      <Flow flow={result.flow} />
      <Comparison title={t('standing')} rows={result.stages} />
      <Comparison title={t('movesMade')} rows={result.moves} />
      <Comparison title={t('segments')} rows={result.segments} />
      <Comparison title={t('tags')} rows={result.tags} />
      {result.samples.length > 0 && (
        <>
          <h3>{t('examples')}</h3>
          <ul class="examples">
            {result.samples.map((sample) => (
              <li key={sample.user_id}>
                <a href={link('customers', sample.user_id)}>{sample.user_id}</a> <Stage name={sample.in_force} /> <span class="arrow">→</span>{' '}
                <Stage name={sample.draft} />
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  );
}

// Who would change sides, most first.
function Flow({ flow = [] }) {
  const rows = flow.filter((pair) => pair.in_force !== pair.draft).sort((a, b) => b.users - a.users);
  if (rows.length === 0) return null;
  const most = rows[0].users;
  return (
    <>
      <h3>{t('previewFlow')}</h3>
      {rows.slice(0, 12).map((pair) => (
        <div class="bar-row" key={`${pair.in_force} ${pair.draft}`}>
          <span>
            <Stage name={pair.in_force} /> <span class="arrow">→</span> <Stage name={pair.draft} />
          </span>
          <span class="bar-track">
            <span style={{ width: `${(100 * pair.users) / most}%` }} />
          </span>
          <span class="right">{number(pair.users)}</span>
        </div>
      ))}
    </>
  );
}

function Comparison({ title, rows = [] }) {
  if (rows.length === 0) return null;
  return (
    <table>
      <thead>
        <tr>
          <th>{title}</th>
          <th class="right">{t('before')}</th>
          <th class="right">{t('after')}</th>
          <th class="right">{t('difference')}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.name}>
            <td>{row.name}</td>
            <td class="right">{number(row.in_force)}</td>
            <td class="right">{number(row.draft)}</td>
            <td class={`right ${row.draft === row.in_force ? 'quiet' : 'changed'}`}>{number(row.draft - row.in_force, { signDisplay: 'exceptZero' })}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
