import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { clockTime, short } from '../i18n.js';

// A line over time that follows its box. `points`: {at, [key]}.
export function Chart({ points, field, colour, label, height = 120 }) {
  const box = useRef(null);
  const plot = useRef(null);
  useEffect(() => {
    const style = getComputedStyle(document.documentElement);
    const axis = { stroke: style.getPropertyValue('--quiet'), grid: { stroke: style.getPropertyValue('--line'), width: 1 }, ticks: { show: false }, font: '11px system-ui' };
    plot.current = new uPlot(
      {
        width: box.current.clientWidth || 300,
        height,
        cursor: { y: false },
        legend: { show: false },
        scales: { y: { range: (_, low, high) => [Math.min(0, low), Math.max(1, high * 1.15)] } },
        axes: [
          { ...axis, size: 26, space: 90, values: (_, ticks) => ticks.map((at) => clockTime(at * 1000)) },
          { ...axis, size: 52, values: (_, ticks) => ticks.map((value) => short(value)) },
        ],
        series: [{}, { label, stroke: colour, width: 2, fill: `${colour}26`, points: { show: false }, paths: uPlot.paths.spline() }],
      },
      [[], []],
      box.current,
    );
    const watcher = new ResizeObserver(() => plot.current.setSize({ width: box.current.clientWidth, height }));
    watcher.observe(box.current);
    return () => {
      watcher.disconnect();
      plot.current.destroy();
    };
  }, []);
  useEffect(() => plot.current.setData([points.map((p) => p.at / 1000), points.map((p) => p[field])]), [points]);
  return <div class="chart" ref={box} role="img" aria-label={label} />;
}
