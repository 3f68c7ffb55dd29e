import { lifecycle, moves_since, newest_move } from '../state.js';
import { number, short, t } from '../i18n.js';
import { stage_colour } from './colours.js';

const kWidth = 1000;
const kHeight = 340;
const kMiddle = 172;

// Stages in a row, in their order; moves forwards arch above them, moves back below. The width of an arc follows the number of moves in the window.
export function LifecycleLoop({ minutes }) {
  if (!lifecycle.value) return <div class="loop empty" />;
  const { stages } = lifecycle.value;
  const counts = new Map();
  for (const move of moves_since(minutes)) {
    const key = `${move.from}\n${move.to}`;
    counts.set(key, (counts.get(key) ?? 0) + move.count);
  }
  const x = new Map(stages.map((stage, i) => [stage.name, (kWidth * (i + 0.5)) / stages.length]));
  const largest = Math.max(1, ...counts.values());
  const total = Math.max(1, ...stages.map((stage) => stage.users));
  const radius = (users) => 38 + 20 * Math.sqrt(users / total);
  const latest = newest_move.value;
  return (
    <div class="loop-box">
    <svg class="loop" viewBox={`0 0 ${kWidth} ${kHeight}`} role="img" aria-label={t('lifecycle')}>
      <defs>
        {stages.map((stage, i) => (
          <radialGradient key={stage.name} id={`stage${i}`} cx="35%" cy="30%">
            <stop offset="0" stop-color={stage_colour(i)} stop-opacity="0.750" />
            <stop offset="1" stop-color={stage_colour(i)} />
          </radialGradient>
        ))}
      </defs>
      {[...counts].map(([key, count]) => {
        const [from, to] = key.split('\n');
        if (!x.has(from) || !x.has(to)) return null;
        const i = stages.findIndex((stage) => stage.name === to);
        return <Arc key={key} id={`arc-${key}`} a={x.get(from)} b={x.get(to)} count={count} width={count ? 2 + 12 * Math.sqrt(count / largest) : 1.5} colour={stage_colour(i)} fresh={latest && `${latest.from}\n${latest.to}` === key ? latest.seen : 0} />;
      })}
      {stages.map((stage, i) => (
        <g key={stage.name} transform={`translate(${x.get(stage.name)} ${kMiddle})`} data-stage={stage.name}>
          <circle r={radius(stage.users)} fill={`url(#stage${i})`} />
          <text class="stage-users" y="7">
            {short(stage.users)}
          </text>
          <text class="stage-name" y={radius(stage.users) + 22}>
            {stage.name}
          </text>
          <title>{`${stage.name}: ${number(stage.users)} ${t('users')}`}</title>
        </g>
      ))}
    </svg>
    </div>
  );
}

function Arc({ id, a, b, count, width, colour, fresh }) {
  const up = b > a;
  const reach = Math.min(140, 56 + Math.abs(b - a) * 0.16);
  const y = up ? kMiddle - reach - 34 : kMiddle + reach + 24;
  const path = `M${a} ${kMiddle} C${a + (b - a) * 0.2} ${y} ${a + (b - a) * 0.8} ${y} ${b} ${kMiddle}`;
  const label = up ? kMiddle - (kMiddle - y) * 0.75 - 8 : kMiddle + (y - kMiddle) * 0.75 + 18;
  return (
    <g class={count ? 'arc' : 'arc idle'}>
      <path id={id} d={path} stroke={colour} stroke-width={width} />
      {count > 0 && (
        <text class="arc-count" x={(a + b) / 2} y={label}>
          {number(count)}
        </text>
      )}
      {fresh > 0 && (
        <circle key={fresh} class="particle" r={Math.max(5, width / 2 + 2)} fill={colour}>
          <animateMotion dur="0.9s" path={path} fill="freeze" begin="0s" />
        </circle>
      )}
    </g>
  );
}
