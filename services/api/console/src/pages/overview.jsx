import { useState } from 'preact/hooks';
import { duration, number, short, t } from '../i18n.js';
import { feed, lifecycle, moves, moves_since, rates, status, watched } from '../state.js';
import { Chart } from '../parts/chart.jsx';
import { LifecycleLoop } from '../parts/lifecycle_loop.jsx';
import { Transition } from '../parts/transition.jsx';

const kWindows = [5, 15, 60];

export function Overview() {
  const [minutes, set_minutes] = useState(15);
  const [only_moves, set_only_moves] = useState(false);
  const lines = only_moves ? moves.value : feed.value;
  return (
    <div class="overview">
      <section class="card wide">
        <div class="head">
          <div>
            <h1>{t('lifecycle')}</h1>
            <p class="quiet">{t('lifecycleHint')}</p>
          </div>
          <div class="segmented" role="group">
            {kWindows.map((window) => (
              <button key={window} aria-pressed={minutes === window} onClick={() => set_minutes(window)}>
                {t('lastMinutes', window)}
              </button>
            ))}
          </div>
        </div>
        <LifecycleLoop minutes={minutes} />
        <Figures minutes={minutes} />
      </section>
      <section class="card feed">
        <div class="head">
          <h2>{t('feed')}</h2>
          <div class="segmented" role="group" aria-label={t('feed')}>
            {[false, true].map((choice) => (
              <button key={choice} aria-pressed={only_moves === choice} onClick={() => set_only_moves(choice)}>
                {t(choice ? 'feedMoves' : 'feedAll')}
              </button>
            ))}
          </div>
        </div>
        {lines.length === 0 ? (
          <p class="quiet">{t('feedEmpty')}</p>
        ) : (
          <ol>
            {lines.map((line) => (
              <Transition key={line.id ?? line.seen} line={line} />
            ))}
          </ol>
        )}
      </section>
      <section class="card">
        <h2>
          {t('eventsPerSecond')} <b class="now">{number(rates.value.at(-1)?.events ?? 0, { maximumFractionDigits: 0 })}</b>
        </h2>
        <Chart points={rates.value} field="events" colour="#0f766e" label={t('eventsPerSecond')} />
      </section>
      <section class="card">
        <h2>
          {t('lag')} <b class="now">{number(rates.value.at(-1)?.lag ?? 0)}</b> <small class="quiet">{t(status.value?.mode === 'embedded' ? 'lagBytes' : 'lagRecords')}</small>
        </h2>
        <Chart points={rates.value} field="lag" colour="#d97706" label={t('lag')} />
      </section>
      <Partitions />
    </div>
  );
}

function Figures({ minutes }) {
  const clock = lifecycle.value?.as_of;
  const users = lifecycle.value?.users ?? 0;
  return (
    <dl class="figures">
      <div>
        <dt>{t('usersTotal')}</dt>
        <dd id="users-total">{number(users)}</dd>
      </div>
      <div>
        <dt>{t('movesSince')}</dt>
        <dd>{number(lifecycle.value ? moves_since(minutes).reduce((sum, move) => sum + move.count, 0) : 0)}</dd>
        {watched() < minutes * 60e3 && <small class="quiet">{t('sinceOpened')}</small>}
      </div>
      <div>
        <dt>{t('eventsPerSecond')}</dt>
        <dd>{short(Math.round(rates.value.at(-1)?.events ?? 0))}</dd>
      </div>
      <div>
        <dt>{t('clock')}</dt>
        <dd>{clock == null ? '–' : duration(Math.max(0, Date.now() - clock))}</dd>
        <small class="quiet">{t('clockLag')}</small>
      </div>
    </dl>
  );
}

function Partitions() {
  const partitions = status.value?.partitions ?? [];
  return (
    <section class="card wide">
      <h2>{t('partitions')}</h2>
      <table>
        <thead>
          <tr>
            <th>{t('partition')}</th>
            <th>{t('state')}</th>
            <th class="right">{t('position')}</th>
            <th class="right">{t('lag')}</th>
            <th class="right">{t('commits')}</th>
            <th class="right">{t('clock')}</th>
          </tr>
        </thead>
        <tbody>
          {partitions.map((partition) => (
            <tr key={partition.partition}>
              <td>{partition.partition}</td>
              <td>
                <span class={`state ${partition.replaying ? 'replaying' : 'running'}`}>{t(partition.replaying ? 'replaying' : 'running')}</span>{' '}
                <span class="quiet">{partition.instance}</span>
              </td>
              <td class="right">{number(partition.position ?? 0)}</td>
              <td class="right">{number(partition.lag ?? 0)}</td>
              <td class="right">{number(partition.commits ?? 0)}</td>
              <td class="right">{partition.clock == null ? '–' : duration(Math.max(0, Date.now() - partition.clock))}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
