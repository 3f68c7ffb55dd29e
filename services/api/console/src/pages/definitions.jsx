import { useEffect, useRef, useState } from 'preact/hooks';
import { get, post, put, send_delete } from '../api.js';
import { number, t } from '../i18n.js';
import { link } from '../state.js';
import { Stage } from '../parts/transition.jsx';
import { Trouble } from '../parts/trouble.jsx';

export function Definitions() {
  const [current, set_current] = useState(null);
  const [draft, set_draft] = useState('');
  const [checked, set_checked] = useState(null);
  const [preview, set_preview] = useState(null);
  const [running, set_running] = useState(false);
  const [said, set_said] = useState('');
  const [error, set_error] = useState(null);
  const load = async () => {
    try {
      const answer = await get('/v1/definitions');
      set_current(answer);
      set_draft((old) => old || answer.text);
    } catch (problem) {
      set_error(problem);
    }
  };
  useEffect(() => {
    load();
  }, []);
  // Checked while it is typed.
  useEffect(() => {
    if (!draft) return undefined;
    const timer = setTimeout(() => post('/v1/definitions/check', { text: draft }).then(set_checked, set_error), 250);
    return () => clearTimeout(timer);
  }, [draft]);
  const run_preview = async () => {
    set_running(true);
    set_error(null);
    set_preview(null);
    try {
      let answer = await post('/v1/definitions/preview', { text: draft });
      while (answer.state === 'running') {
        set_preview(answer);
        await new Promise((resolve) => setTimeout(resolve, 400));
        answer = await get(`/v1/definitions/preview/${answer.id}`);
      }
      if (answer.state === 'failed') set_error(new Error(answer.detail));
      set_preview(answer.state === 'done' ? answer : null);
    } catch (problem) {
      set_error(problem);
    }
    set_running(false);
  };
  const activate = async () => {
    if (!confirm(t('activateSure'))) return;
    try {
      await put('/v1/definitions', { text: draft });
      set_said(t('activated'));
      load();
    } catch (problem) {
      set_error(problem);
    }
  };
  if (!current) return error ? <Trouble error={error} retry={load} /> : null;
  const mistakes = checked?.errors ?? [];
  const changed = draft !== current.text;
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
        <Editor text={draft} on_text={set_draft} mistakes={mistakes} />
        <div class="actions">
          <span class={mistakes.length ? 'bad' : 'good'} id="check-result">
            {checked && (mistakes.length ? t('mistakes', mistakes.length) : t('checkOk'))}
          </span>
          <button disabled={!changed} onClick={() => set_draft(current.text)}>
            {t('revert')}
          </button>
          <button class="primary" id="preview" disabled={!usable || running} onClick={run_preview}>
            {t('preview')}
          </button>
          <button id="activate" disabled={!usable || running || !current.editable} onClick={activate}>
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
        {said && <p class="good">{said}</p>}
        {current.sweep_left > 0 && <p class="quiet">{t('sweepLeft', number(current.sweep_left))}</p>}
        {error && <Trouble error={error} />}
      </section>
      <section class="card">
        <h2>{t('previewWhat')}</h2>
        {running && (
          <>
            <p class="quiet working">{t('previewRunning')}</p>
            <span class="bar-track big">
              <span style={{ width: `${100 * (preview?.progress ?? 0)}%` }} />
            </span>
            {preview && (
              <p>
                <button onClick={() => send_delete(`/v1/definitions/preview/${preview.id}`).catch(set_error)}>{t('cancel')}</button>
              </p>
            )}
          </>
        )}
        {preview?.result && <Preview result={preview.result} />}
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
