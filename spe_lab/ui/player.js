// The player's script. It runs as the `onload` of the style element inside the page (`this`): unlike a script's text that
// works wherever a widget puts the markup, and again when JupyterLab takes a cell out of sight and back.
const player = this.closest('.spe-player');
if (!player.state) {
  const SVG = 'http://www.w3.org/2000/svg', WIDTH = 860, DOOR = 690, ROW = 34, BOX = WIDTH - DOOR - 10, GAP = 4;
  const find = name => player.querySelector(name), page = player.closest('.spe-page') || player;
  const data = JSON.parse(find('.data').textContent), calm = matchMedia('(prefers-reduced-motion: reduce)');
  const kept = page.playing || {speed: '2', on: false};     // a moved slider makes a new player, which goes on as the old one did
  const state = player.state = {time: 0, on: false, last: 0, frames: 0, since: 0};
  const [play, next, again, slider, speed, said] = ['.play', '.next', '.again', '.time input', '.speed select', '.said'].map(find);
  const clock = find('output');
  speed.value = kept.speed;

  const make = (parent, name, attributes) => {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return parent.appendChild(element);
  };
  const scenes = data.scenes.map((scene, k) => {
    const section = player.querySelectorAll('.scene')[k], picture = section.querySelector('.moving'), rows = Math.max(1, scene.servers);
    for (let row = 0; row < rows; row++)
      make(picture, 'rect', {class: 'frame', ...(scene.shape === 'sharing' ? {x: 44, width: WIDTH - 54} : {x: DOOR, width: BOX}), y: row * ROW + 2, height: ROW - 4, rx: 4});
    const more = make(picture, 'text', {x: 4, y: rows * ROW / 2 + 5});
    return {...scene, rows, picture, more, live: section.querySelector('.live'), cursor: section.querySelector('.cursor'), shown: new Map()};
  });
  const events = [...new Set(data.scenes.flatMap(s => [...s.arrival, ...s.start, ...s.departure]))].filter(t => t > 0 && t <= data.end).sort((a, b) => a - b);

  // How much of a job's service is left, from 1 to 0.
  const left = (scene, i, time) => {
    if (!scene.elapsed) return 1 - (time - scene.start[i]) / (scene.departure[i] - scene.start[i]);
    return Math.max(0, 1 - (virtual(scene, time) - virtual(scene, scene.arrival[i])) / scene.service[i]);
  };
  const virtual = ({elapsed: [at, gone]}, time) => {
    let low = 0, high = at.length - 1;
    while (high - low > 1) { const middle = (low + high) >> 1; if (at[middle] <= time) low = middle; else high = middle; }
    const share = at[high] > at[low] ? (time - at[low]) / (at[high] - at[low]) : 0;
    return gone[low] + Math.min(Math.max(share, 0), 1) * (gone[high] - gone[low]);
  };

  // Who is where at a time: a pure function of it, so that the page can be wound back and forth.
  const placed = (scene, time) => {
    const present = [], serving = new Map(), counts = {waiting: 0, blocked: 0, served: 0};
    for (let i = 0; i < scene.arrival.length && scene.arrival[i] <= time; i++) if (time < scene.departure[i]) present.push(i);
    for (const i of present) if (scene.start[i] <= time && scene.shape !== 'sharing') serving.set(scene.server[i], i);
    const stuck = row => scene.shape === 'split' ? scene.long[serving.get(row)] : serving.size === scene.servers && [...serving.values()].every(i => scene.long[i]);
    const ends = Array(scene.rows).fill(scene.shape === 'sharing' ? WIDTH - 14 : DOOR - 8), places = [];
    // In the order in which they will be served; priority is seen as overtaking.
    const order = scene.shape === 'sharing' ? present : [...present].sort((a, b) => scene.start[a] - scene.start[b]);
    for (const i of order) {
      const row = scene.shape === 'shared' ? 0 : scene.server[i], middle = (scene.shape === 'shared' ? scene.rows / 2 : row + 0.5) * ROW;
      const width = scene.long[i] ? 36 : 16;
      if (scene.shape !== 'sharing' && scene.start[i] <= time) {
        places.push({i, x: DOOR + 26, y: (scene.server[i] + 0.5) * ROW, left: left(scene, i, time), bar: BOX - 60, at: 24});
        counts.served++;
        continue;
      }
      const blocked = scene.shape !== 'sharing' && !scene.long[i] && stuck(scene.server[i]);
      places.push({i, x: ends[row] - width / 2, y: middle, blocked, left: scene.shape === 'sharing' ? left(scene, i, time) : 0, bar: width, at: -width / 2, low: true});
      ends[row] -= width + GAP;
      counts[scene.shape === 'sharing' ? 'served' : 'waiting']++;
      counts.blocked += blocked ? 1 : 0;
    }
    return {places, counts};
  };
  const words = (scene, {counts}) => scene.shape === 'sharing' ? `${counts.served} served at once, nobody waits`
    : `${counts.served} in service, ${counts.waiting} waiting${counts.blocked ? `, ${counts.blocked} of them short and behind a long job` : ''}`;

  const draw = glide => {
    for (const scene of scenes) {
      const now = placed(scene, state.time), seen = new Set();
      let hidden = 0;
      for (const place of now.places) {
        if (place.x < 46) { hidden++; continue; }
        seen.add(place.i);
        let shape = scene.shown.get(place.i);
        if (!shape) {
          const group = make(scene.picture, 'g', {}), long = scene.long[place.i];
          const body = make(group, long ? 'rect' : 'circle', long ? {class: 'long', x: -18, y: -9, width: 36, height: 18, rx: 3} : {class: 'short', r: 8});
          shape = {group, body, bar: make(group, 'rect', {class: long ? 'long' : 'short', height: 4}), x: glide ? Math.max(0, place.x - 90) : place.x, y: place.y};
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
      const x = (state.time / data.end * WIDTH).toFixed(1);
      scene.cursor.setAttribute('x1', x);
      scene.cursor.setAttribute('x2', x);
    }
    slider.value = state.time;
    clock.textContent = state.time.toFixed(1);
    slider.setAttribute('aria-valuetext', `${state.time.toFixed(1)} mean services`);
  };
  const tell = () => {
    said.textContent = `At ${state.time.toFixed(1)}: ` + scenes.map(scene => `${scene.name}: ${words(scene, placed(scene, state.time))}`).join('; ') + '.';
  };
  const go = (time, glide = false) => { state.time = Math.min(Math.max(time, 0), data.end); draw(glide); };
  const onward = () => events.find(t => t > state.time + 1e-9) ?? data.end;

  const frame = now => {
    if (!state.on || !player.isConnected) { state.on = false; return; }
    if (calm.matches) {                                     // no motion: from event to event, one in a second at most
      if (now - state.last > 1000) { state.last = now; go(onward()); tell(); }
    } else {
      go(state.time + Math.min(now - state.last, 100) / 1000 * speed.value, true);
      state.last = now;
      state.frames++;
      if (now - state.since > 1000) { player.dataset.fps = (state.frames * 1000 / (now - state.since)).toFixed(0); state.frames = 0; state.since = now; }
    }
    if (state.time >= data.end) run(false); else requestAnimationFrame(frame);
  };
  const run = on => {
    const started = on && !state.on;
    state.on = on;
    play.textContent = on ? 'Pause' : 'Play';
    page.playing = {speed: speed.value, on};
    if (started) {
      if (state.time >= data.end) go(0);
      state.last = state.since = performance.now();
      state.frames = 0;
      said.textContent = '';
      requestAnimationFrame(frame);
    }
    if (!on) tell();
  };
  play.onclick = () => run(!state.on);
  next.onclick = () => { run(false); go(onward()); tell(); };
  again.onclick = () => { go(0); tell(); };
  slider.oninput = () => { go(Number(slider.value)); if (!state.on) tell(); };
  speed.onchange = () => { page.playing = {speed: speed.value, on: state.on}; };
  draw(false);
  tell();
  if (kept.on) run(true);
}
