import { clockTime, t, time } from '../i18n.js';
import { lifecycle, link } from '../state.js';
import { stage_colour } from './colours.js';

export const cause = (name) => t({ event: 'causeEvent', timer: 'causeTimer', definitions: 'causeDefinitions' }[name] ?? name);

export function Stage({ name }) {
  const index = lifecycle.value?.stages.findIndex((stage) => stage.name === name) ?? -1;
  return (
    <span class="stage" style={{ '--colour': stage_colour(index) }}>
      {name}
    </span>
  );
}

// One line of the transition log.
export function Transition({ line }) {
  if (line.type === 'gap') return <li class="quiet">{t('gap')}</li>;
  return (
    <li class={`transition ${line.type}`}>
      <time title={time(line.at)}>{clockTime(line.at)}</time>
      <a href={link('customers', line.user_id)}>{line.user_id}</a>
      {line.type === 'move' ? (
        <span>
          <Stage name={line.from} /> <span class="arrow">→</span> <Stage name={line.to} />
        </span>
      ) : (
        <span>
          {t(line.type)} <b>{line.name}</b>
          {line.key && <span class="chip">{line.key}</span>}
        </span>
      )}
      <small>{cause(line.cause)}</small>
    </li>
  );
}
