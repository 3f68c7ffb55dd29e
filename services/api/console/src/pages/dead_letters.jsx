import { useEffect, useState } from 'preact/hooks';
import { get } from '../api.js';
import { number, t } from '../i18n.js';
import { Loading, Trouble } from '../parts/trouble.jsx';

// Bytes that are no UTF-8, with marks where they are none.
const text_of = (base64) => new TextDecoder().decode(Uint8Array.from(atob(base64 ?? ''), (c) => c.charCodeAt(0)));

export function DeadLetters() {
  const [letters, set_letters] = useState(null);
  const [reason, set_reason] = useState('');
  const [error, set_error] = useState(null);
  const load = () =>
    get(`/v1/dead-letters?limit=20${reason ? `&reason=${encodeURIComponent(reason)}` : ''}`).then(
      (answer) => {
        set_letters(answer);
        set_error(null);
      },
      set_error,
    );
  useEffect(() => {
    load();
    const timer = setInterval(() => document.hidden || load(), 5000);
    return () => clearInterval(timer);
  }, [reason]);
  if (!letters) return error ? <Trouble error={error} retry={load} /> : <Loading />;
  const reasons = letters.reasons.filter((entry) => entry.total > 0).sort((a, b) => b.total - a.total);
  const most = Math.max(1, ...reasons.map((entry) => entry.total));
  return (
    <div class="dead-letters">
      <section class="card">
        <h1>{t('deadLetters')}</h1>
        <p class="quiet">{t('deadHint')}</p>
        {error && <Trouble error={error} retry={load} />}
        {reasons.length === 0 && <p class="good">{t('deadNone')}</p>}
        {reasons.length > 0 && (
          <button class="bar-row pick" aria-pressed={reason === ''} onClick={() => set_reason('')}>
            <span>{t('all')}</span>
            <span />
            <span class="right">{number(letters.total)}</span>
          </button>
        )}
        {reasons.map((entry) => (
          <button class="bar-row pick" key={entry.reason} data-reason={entry.reason} aria-pressed={reason === entry.reason} onClick={() => set_reason(entry.reason)}>
            <span title={entry.reason}>{t(`reason_${entry.reason}`)}</span>
            <span class="bar-track warm">
              <span style={{ width: `${(100 * entry.total) / most}%` }} />
            </span>
            <span class="right">{number(entry.total)}</span>
          </button>
        ))}
      </section>
      <section class="card">
        <h2>{t('samples')}</h2>
        {letters.newest.length === 0 && <p class="quiet">{t('none')}</p>}
        <ul class="samples">
          {letters.newest.map((sample) => (
            <li key={`${sample.partition}-${sample.offset}`}>
              <span class="chip warm" title={sample.reason}>
                {t(`reason_${sample.reason}`)}
              </span>{' '}
              <small class="quiet">
                {t('partition')} {sample.partition} · {sample.line ? t('lineNumber', number(sample.line)) : `${t('offset')} ${number(sample.offset)}`}
              </small>
              <pre>{sample.raw ?? text_of(sample.raw_base64)}</pre>
            </li>
          ))}
        </ul>
      </section>
    </div>
  );
}
