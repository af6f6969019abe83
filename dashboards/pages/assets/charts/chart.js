import { html, Component } from '../html.js';
import uPlot from '../lib/uplot.mjs';
import { toOptions } from './options.js';
import { clockTime, UNITS } from './units.js';

const HEIGHT_PX = 154;

/**
 * A chart with its legend, which names the values of the whole span, or those under the pointer. Give it another key for other lines: it
 * keeps its canvas as long as it is there.
 * @param lines each `{ name, tone, values, total }`: `values` one a step, null: not known; `total` of the span
 * @param stacked whether bars lie on each other, the first at the bottom; else each line is drawn by itself
 * @param unit a name of `UNITS`
 */
export class Chart extends Component {
  state = { at: null };

  componentDidMount() {
    const { clientWidth: width } = this.box;
    const onPoint = (at) => at !== this.state.at && this.setState({ at });
    const options = toOptions({
      ...this.props,
      lines: this.#drawn(),
      size: { width, height: HEIGHT_PX },
      seriesOf: () => this.props.series,
      onPoint,
    });
    this.plot = new uPlot(options, this.#data(), this.box);
    this.resize = new ResizeObserver(() => this.plot.setSize({ width: this.box.clientWidth, height: HEIGHT_PX }));
    this.resize.observe(this.box);
    this.scheme = matchMedia('(prefers-color-scheme: dark)');
    this.redraw = () => this.plot.redraw();
    this.scheme.addEventListener('change', this.redraw);
  }

  componentDidUpdate({ series }) {
    if (series !== this.props.series) this.plot.setData(this.#data());
  }

  componentWillUnmount() {
    this.scheme.removeEventListener('change', this.redraw);
    this.resize.disconnect();
    this.plot.destroy();
  }

  /** The lines in the order in which they are drawn: bars from the highest to the lowest, so that each hides the foot of the one behind it. */
  #drawn() {
    const { lines, stacked } = this.props;
    return stacked ? lines.toReversed() : lines;
  }

  /** Seconds, then the values of each line. */
  #data() {
    const { series, stacked } = this.props;
    const rows = this.#drawn().map(({ values }) => values);
    const times = rows[0].map((_, i) => (Date.parse(series.from) + i * series.stepMs) / 1_000);
    return [times, ...(stacked ? toStack(rows) : rows)];
  }

  render({ title, series, lines, unit }, { at }) {
    const { value: format } = UNITS[unit];
    const shown = ({ values, total }) => (at === null ? total : (values[at] ?? null));
    const time = at === null ? '' : clockTime(Date.parse(series.from) + at * series.stepMs, series.span !== '1h');
    const label = lines.map((line) => `${line.name} ${format(line.total)}`).join(', ');
    return html`<figure>
      <figcaption>${title}${' '}<span class="soft">${time}</span></figcaption>
      <ul class="legend">
        ${lines.map(
          (line) =>
            html`<li key=${line.name}>
              <span class=${`swatch ${line.tone}`}></span>${`${line.name} `}<b
                >${shown(line) === null ? '–' : format(shown(line))}</b
              >
            </li>`,
        )}
      </ul>
      <div
        class="plot"
        role="img"
        aria-label=${`${title}: ${label}`}
        ref=${(box) => (this.box = box ?? this.box)}
      ></div>
    </figure>`;
  }
}

/** Sums from each row to the last one. Null stays null. */
function toStack(rows) {
  return rows.map((row, r) =>
    row.map((value, i) => (value === null ? null : rows.slice(r).reduce((sum, other) => sum + other[i], 0))),
  );
}
