// Plays traces of customers in queues. The Python side (player.py) gives `markup`, which holds the controls and a
// section for each trace, and `traces`; once they are in the page, nothing is asked of the kernel.
const SVG = 'http://www.w3.org/2000/svg';
const WIDTH = 860, DOOR = 690, ROW = 34, BOX = WIDTH - DOOR - 10, GAP = 4;
const SHORT = {class: 'short', r: 8}, LONG = {class: 'long', x: -18, y: -9, width: 36, height: 18, rx: 3};

const make = (parent, name, attributes) => {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return parent.appendChild(element);
};

// Service that a job has had by a time, under processor sharing: interpolated in the trace's table.
const virtual = ({elapsed: [at, gone]}, time) => {
  let low = 0, high = at.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (at[middle] <= time) low = middle; else high = middle;
  }
  const share = at[high] > at[low] ? (time - at[low]) / (at[high] - at[low]) : 0;
  return gone[low] + Math.min(Math.max(share, 0), 1) * (gone[high] - gone[low]);
};

// How much of a job's service is left, from 1 to 0.
const left = (scene, i, time) => {
  if (!scene.elapsed) return 1 - (time - scene.start[i]) / (scene.departure[i] - scene.start[i]);
  return Math.max(0, 1 - (virtual(scene, time) - virtual(scene, scene.arrival[i])) / scene.service[i]);
};

// Where each customer is at a time: a pure function of the time, so that the page can be wound back and forth.
const placed = (scene, time) => {
  const {arrival, start, departure, server, long, shape, servers} = scene, sharing = shape === 'sharing';
  const present = [], serving = new Map(), counts = {waiting: 0, blocked: 0, served: 0};
  for (let i = 0; i < arrival.length && arrival[i] <= time; i++) if (time < departure[i]) present.push(i);
  for (const i of present) if (start[i] <= time && !sharing) serving.set(server[i], i);
  const stuck = row => shape === 'split' ? long[serving.get(row)]
    : serving.size === servers && [...serving.values()].every(i => long[i]);
  const ends = Array(scene.rows).fill(sharing ? WIDTH - 14 : DOOR - 8), places = [];
  // In the order in which they will be served; priority is seen as overtaking.
  const order = sharing ? present : [...present].sort((a, b) => start[a] - start[b]);
  for (const i of order) {
    if (!sharing && start[i] <= time) {
      const y = (server[i] + 0.5) * ROW;
      places.push({i, x: DOOR + 26, y, left: left(scene, i, time), bar: BOX - 60, at: 24});
      counts.served++;
      continue;
    }
    const row = shape === 'shared' ? 0 : server[i], width = long[i] ? 36 : 16;
    const y = (shape === 'shared' ? scene.rows / 2 : row + 0.5) * ROW;
    const blocked = !sharing && !long[i] && stuck(server[i]);
    const share = sharing ? left(scene, i, time) : 0;
    places.push({i, x: ends[row] - width / 2, y, blocked, left: share, bar: width, at: -width / 2, low: true});
    ends[row] -= width + GAP;
    counts[sharing ? 'served' : 'waiting']++;
    counts.blocked += blocked ? 1 : 0;
  }
  return {places, counts};
};

const words = ({shape}, {counts: {served, waiting, blocked}}) => {
  if (shape === 'sharing') return `${served} share the server, nobody waits`;
  return `${served} in service, ${waiting} waiting${blocked ? `, ${blocked} of them short and behind a long job` : ''}`;
};

// A trace with the parts of its section that change, and the frames of its servers drawn.
const staged = (trace, section) => {
  const find = name => section.querySelector(name), picture = find('.moving'), rows = Math.max(1, trace.servers);
  const frame = trace.shape === 'sharing' ? {x: 44, width: WIDTH - 54} : {x: DOOR, width: BOX};
  for (let row = 0; row < rows; row++) {
    make(picture, 'rect', {class: 'frame', ...frame, y: row * ROW + 2, height: ROW - 4, rx: 4});
  }
  const more = make(picture, 'text', {x: 4, y: rows * ROW / 2 + 5});
  return {...trace, rows, picture, more, live: find('.live'), cursor: find('.cursor'), shown: new Map()};
};

const drawScene = (scene, time, end, glide) => {
  const now = placed(scene, time), seen = new Set();
  let hidden = 0;
  for (const place of now.places) {
    if (place.x < 46) { hidden++; continue; }
    seen.add(place.i);
    let shape = scene.shown.get(place.i);
    if (!shape) {
      const group = make(scene.picture, 'g', {}), long = scene.long[place.i];
      const body = make(group, long ? 'rect' : 'circle', long ? LONG : SHORT);
      const bar = make(group, 'rect', {class: long ? 'long' : 'short', height: 4});
      shape = {group, body, bar, x: glide ? Math.max(0, place.x - 90) : place.x, y: place.y};
      scene.shown.set(place.i, shape);
    }
    shape.x += (place.x - shape.x) * (glide ? 0.25 : 1);
    shape.y += (place.y - shape.y) * (glide ? 0.25 : 1);
    shape.group.setAttribute('transform', `translate(${shape.x.toFixed(1)},${shape.y.toFixed(1)})`);
    shape.body.classList.toggle('blocked', !!place.blocked);
    shape.bar.setAttribute('x', place.at);
    shape.bar.setAttribute('y', place.low ? 11 : -2);
    shape.bar.setAttribute('width', (place.bar * place.left).toFixed(1));
  }
  for (const [i, shape] of scene.shown) if (!seen.has(i)) { shape.group.remove(); scene.shown.delete(i); }
  scene.more.textContent = hidden ? `+ ${hidden}` : '';
  scene.live.textContent = words(scene, now);
  for (const x of ['x1', 'x2']) scene.cursor.setAttribute(x, (time / end * WIDTH).toFixed(1));
};

// Brings the markup in `player` to life. `habit` is {speed, on}: how the reader plays, kept when the traces change.
// Returns a function that stops it.
const start = (player, {end, scenes: traces}, habit) => {
  const find = name => player.querySelector(name), calm = matchMedia('(prefers-reduced-motion: reduce)');
  const [play, next, again, slider, speed, said, clock] =
    ['.play', '.next', '.again', '.time input', '.speed select', '.said', 'output'].map(find);
  const sections = player.querySelectorAll('.scene'), scenes = traces.map((trace, k) => staged(trace, sections[k]));
  const moments = traces.flatMap(trace => [...trace.arrival, ...trace.start, ...trace.departure]);
  const events = [...new Set(moments)].filter(t => t > 0 && t <= end).sort((a, b) => a - b);
  let time = 0, on = false, last = 0, frames = 0, since = 0;

  const go = (to, glide = false) => {
    time = Math.min(Math.max(to, 0), end);
    for (const scene of scenes) drawScene(scene, time, end, glide);
    slider.value = time;
    clock.textContent = time.toFixed(1);
    slider.setAttribute('aria-valuetext', `${time.toFixed(1)} mean services`);
  };
  const onward = () => events.find(t => t > time + 1e-9) ?? end;
  const tell = () => {
    const each = scenes.map(scene => `${scene.name}: ${words(scene, placed(scene, time))}`);
    said.textContent = `At ${time.toFixed(1)}: ${each.join('; ')}.`;
  };

  const frame = now => {
    if (!on) return;
    if (!player.isConnected) return run(false);
    if (calm.matches) {                                     // no motion: from event to event, one in a second at most
      if (now - last > 1000) { last = now; go(onward()); tell(); }
    } else {
      go(time + Math.min(now - last, 100) / 1000 * speed.value, true);
      last = now;
      frames++;
      if (now - since > 1000) {
        player.dataset.fps = (frames * 1000 / (now - since)).toFixed(0);
        frames = 0;
        since = now;
      }
    }
    if (time >= end) run(false); else requestAnimationFrame(frame);
  };
  const run = wanted => {
    const started = wanted && !on;
    on = habit.on = wanted;
    play.textContent = on ? 'Pause' : 'Play';
    if (started) {
      if (time >= end) go(0);
      last = since = performance.now();
      frames = 0;
      said.textContent = '';
      requestAnimationFrame(frame);
    }
    if (!on) tell();
  };
  play.onclick = () => run(!on);
  next.onclick = () => { run(false); go(onward()); tell(); };
  again.onclick = () => { go(0); tell(); };
  slider.oninput = () => { go(Number(slider.value)); if (!on) tell(); };
  speed.onchange = () => { habit.speed = speed.value; };
  speed.value = habit.speed;
  go(0);
  tell();
  if (habit.on) run(true);
  return () => { on = false; };
};

export default {
  render({model, el}) {
    const habit = {speed: '2', on: false};
    let stop = () => {};
    const show = () => {
      stop();
      el.innerHTML = model.get('markup');
      stop = start(el.querySelector('.spe-player'), model.get('traces'), habit);
    };
    model.on('change:traces', show);
    show();
    return () => stop();
  },
};
