// Draws the item's chart from tokens, so both themes come from one stylesheet; drawn again on a change of theme or width.
const holder = document.getElementById("item-chart");
if (holder && window.Plotly) start();

function start() {
  const data = JSON.parse(holder.dataset.chart);
  if (holder.dataset.locale === "zh-CN") Plotly.setPlotConfig({ locale: "zh-CN" });
  const draw = () => Plotly.react(holder, traces(data), layout(data), { displayModeBar: false, responsive: false });
  draw();
  document.documentElement.addEventListener("scm:theme", draw);
  let width = holder.clientWidth;
  new ResizeObserver(() => {
    if (holder.clientWidth === width) return;
    width = holder.clientWidth;
    draw();
  }).observe(holder);
}

function token(name) {  // light-dark() resolves only in a used colour, so ask a probe element
  const probe = document.body.appendChild(document.createElement("i"));
  probe.className = `probe probe-${name}`;
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}

function soft(colour, alpha) {
  const numbers = colour.match(/[\d.]+/g).slice(0, 3);
  return colour.startsWith("rgb") ? `rgba(${numbers.join(", ")}, ${alpha})` : colour.replace(")", ` / ${alpha})`);
}

function traces({ past, ahead, words }) {
  const ink = token("ink"), ink3 = token("ink-3"), machine = token("machine"), sheet = token("sheet");
  const line = (rows, key, colour, more) => ({
    x: rows.map((row) => row.day), y: rows.map((row) => row[key]), mode: "lines", line: { color: colour, width: 2 }, ...more,
  });
  const bar = (rows, key, name, marker) => ({
    x: rows.map((row) => row.day), y: rows.map((row) => row[key] === null ? null : Math.max(row[key], 0)), type: "bar", name, yaxis: "y2", marker,
  });
  return [
    line(ahead, "low", machine, { name: words.low, line: { width: 0 } }),
    line(ahead, "high", machine, { name: words.high, fill: "tonexty", fillcolor: soft(machine, 0.18), line: { width: 0 } }),
    line(past, "asked", ink, { name: words.asked }),
    line(ahead, "mean", machine, { name: words.forecast }),
    bar(past, "stock", words.stock, { color: soft(ink3, 0.55) }),
    bar(ahead, "with_proposals", words.projected, { color: sheet, line: { color: machine, width: 1.3 } }),
  ];
}

function layout(data) {
  const { past, ahead, words } = data;
  const ink = token("ink"), ink3 = token("ink-3"), machine = token("machine"), risk = token("risk"), rule = token("rule"), sheet = token("sheet");
  const days = [...past, ...ahead].map((row) => row.day);
  const shifted = (day, by) => new Date(Date.parse(day) + by * 864e5).toISOString().slice(0, 10);
  const range = [shifted(days[0], -4), shifted(days[days.length - 1], 8)];
  const top = Math.max(1, ...past.map((row) => row.asked), ...ahead.map((row) => row.high)) * 1.22;
  const high = Math.max(1, data.safety || 0, ...past.map((row) => row.stock || 0), ...ahead.map((row) => row.with_proposals)) * 1.3;
  const margin = { l: 48, r: data.safety === null ? 12 : 84, t: 6, b: 24 };
  const upright = (day, colour, width) => ({ type: "line", xref: "x", yref: "paper", x0: day, x1: day, y0: 0, y1: 1, line: { color: colour, width } });
  const shapes = data.outages.map(([from, to]) => ({ type: "rect", xref: "x", yref: "paper", x0: from, x1: to, y0: 0, y1: 1, fillcolor: soft(risk, 0.17), line: { width: 0 }, layer: "below" }));
  shapes.push(upright(data.today, ink3, 1));
  if (data.runs_out && data.runs_out <= range[1]) shapes.push(upright(data.runs_out, risk, 1));
  if (data.safety !== null) shapes.push({ type: "line", xref: "paper", yref: "y2", x0: 0, x1: 1, y0: data.safety, y1: data.safety, line: { color: ink, width: 1, dash: "dot" } });
  const say = (x, y, text, colour, yref = "y", xanchor = "left") => ({ x, y, yref, text, xanchor, yanchor: "top", showarrow: false, font: { color: colour, size: 12 }, bgcolor: sheet, borderpad: 0 });
  const above = (label) => ({ ...label, yanchor: "bottom", bgcolor: "rgba(0,0,0,0)" });
  const wanted = [  // the most telling first: what finds no room is left out
    say(data.today, top, words.today, ink3, "y", "right"),
    ...(data.runs_out ? [say(data.runs_out, top, words.runs_out, risk)] : []),
    ...data.outages.map(([from]) => say(from, top, words.outage, risk)),
    ...(ahead.length ? [say(range[1], top * 0.9, words.forecast, machine, "y", "right")] : []),
    say(days[0], top * 0.9, words.asked, ink),
    above(say(days[0], high, words.stock, ink3, "y2")),
    ...(ahead.length ? [above(say(range[1], high, words.projected, machine, "y2", "right"))] : []),
    ...data.arrivals.map((one) => above(say(one.day, highest(ahead, one.day), one.text, ink, "y2", "center"))),
  ];
  const annotations = placed(wanted, { range, top, high, margin });
  if (data.safety !== null) annotations.push({ ...say(1, data.safety, words.safety, ink, "y2"), xref: "paper", xshift: 4, yanchor: "middle", bgcolor: "rgba(0,0,0,0)" });
  return {
    height: 330, margin, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: ink3 },
    hovermode: "x unified", hoverlabel: { bgcolor: sheet, bordercolor: rule, font: { color: ink } }, showlegend: false,
    xaxis: { type: "date", range, gridcolor: "rgba(0,0,0,0)", ...dates(), nticks: Math.max(3, Math.floor(holder.clientWidth / 90)), anchor: "y2", linecolor: rule, fixedrange: true },
    yaxis: { domain: [0.46, 1], range: [0, top], gridcolor: rule, zeroline: false, nticks: 4, fixedrange: true },
    yaxis2: { domain: [0, 0.38], range: [0, high], gridcolor: rule, zeroline: false, nticks: 4, fixedrange: true },
    bargap: 0.35, shapes, annotations,
  };
}

// Plotly's Chinese locale names months without their sign.
function dates() {
  if (holder.dataset.locale === "zh-CN") return { tickformat: "%-m月%-d日", hoverformat: "%Y年%-m月%-d日" };
  return { tickformat: "%-d %b", hoverformat: "%-d %b %Y" };
}

// The top of the bars under a label of some ten days' width.
function highest(ahead, day) {
  const near = ahead.filter((row) => Math.abs(Date.parse(row.day) - Date.parse(day)) < 11 * 864e5);
  return Math.max(0, ...near.map((row) => row.with_proposals));
}

// A label is placed where its line is; one that would leave the chart or cover an earlier one is dropped.
function placed(labels, { range, top, high, margin }) {
  const pen = document.createElement("canvas").getContext("2d");
  pen.font = `12px ${getComputedStyle(document.body).fontFamily}`;
  const width = holder.clientWidth - margin.l - margin.r, height = 330 - margin.t - margin.b;
  const [from, to] = range.map((day) => Date.parse(day));
  const taken = [];
  return labels.filter((label) => {
    const wide = pen.measureText(label.text).width + 6;
    const at = ((Date.parse(label.x) - from) / (to - from)) * width;
    const left = label.xanchor === "right" ? at - wide : label.xanchor === "center" ? at - wide / 2 : at;
    const share = label.yref === "y2" ? 0.38 * (label.y / high) : 0.46 + 0.54 * (label.y / top);
    const box = { left, right: left + wide, top: height * (1 - share) - (label.yanchor === "bottom" ? 16 : 0), bottom: height * (1 - share) + (label.yanchor === "bottom" ? 0 : 16) };
    const outside = box.left < -2 || box.right > width + 2;
    const covers = taken.some((one) => box.left < one.right && box.right > one.left && box.top < one.bottom && box.bottom > one.top);
    if (outside || covers) return false;
    taken.push(box);
    return true;
  });
}
