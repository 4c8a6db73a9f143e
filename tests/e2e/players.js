/**
 * Players that others made, all driven alike: what a person does with a film, and what the player says of it.
 *
 * `watch` does everything, `beep` looks when a sound is heard; both answer what happened. They wait for conditions, each
 * with a deadline, and what fails is named among the complaints.
 */
"use strict";

const DEADLINE = 30; // seconds
const LOOK = 10; // milliseconds between two looks
const LITTLE = 4; // seconds of film a player keeps before it, so that a seek leads to what it does not have
const ALL = 600;
const SLOW = ["bufferStalledError", "bufferNudgeOnStall"];

async function until(what, look) {
  const end = performance.now() + DEADLINE * 1000;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (performance.now() > end) throw new Error(`waited ${DEADLINE} s for ${what}`);
    await new Promise((wake) => setTimeout(wake, LOOK));
  }
}

/**
 * Each answers what the others do: `sounds`, `sizes`, `texts` list the languages or heights to choose from, `choose…`
 * takes one by its place there, `hurry` lets it fetch all there is; `ended`, where there is one, tells that it has come
 * to the end. `says` is told each complaint.
 */
const PLAYERS = {
  async "hls.js"(video, url, says) {
    const hls = new Hls({ enableWorker: false, maxBufferLength: LITTLE, maxMaxBufferLength: LITTLE });
    hls.on(Hls.Events.ERROR, (_, { details, fatal, error }) => {
      // With half a second and more of film at hand it is the machine that is slow, and not the film that is missing.
      if (SLOW.includes(details) && ahead(video) > 0.5) return;
      if (details === "aborted") return; // what was being fetched when somebody went elsewhere
      says(`${fatal ? "fatal " : ""}${details}: ${error?.message}`);
    });
    hls.loadSource(url);
    hls.attachMedia(video);
    await until("hls.js to know the film", () => hls.levels.length > 0);
    return {
      sounds: () => hls.audioTracks.map(({ lang }) => lang),
      chooseSound: (at) => (hls.audioTrack = at),
      sizes: () => hls.levels.map(({ height }) => height),
      chooseSize: (at) => (hls.nextLevel = at),
      texts: () => hls.subtitleTracks.map(({ lang }) => lang),
      chooseText: (at) => (hls.subtitleTrack = at),
      hurry: () => Object.assign(hls.config, { maxBufferLength: ALL, maxMaxBufferLength: ALL }),
      close: () => hls.destroy(),
    };
  },

  async shaka(video, url, says) {
    const player = new shaka.Player();
    await player.attach(video);
    player.addEventListener("error", ({ detail }) => says(`error ${detail.code} ${detail.data}`));
    player.configure({ streaming: { bufferingGoal: LITTLE, rebufferingGoal: 0.1 } });
    await player.load(url);
    const texts = () => player.getTextTracks();
    const heights = () => [...new Set(player.getVariantTracks().map(({ height }) => height))].sort((a, b) => a - b);
    return {
      sounds: () => player.getAudioTracks().map(({ language }) => language),
      chooseSound: (at) => player.selectAudioTrack(player.getAudioTracks()[at]),
      sizes: heights,
      chooseSize: (at) => {
        player.configure({ abr: { enabled: false } });
        const now = player.getVariantTracks().find(({ active }) => active);
        const wanted = player
          .getVariantTracks()
          .find(({ height, language }) => height === heights()[at] && language === now.language);
        player.selectVariantTrack(wanted, true);
      },
      texts: () => texts().map(({ language }) => language),
      chooseText: (at) => player.selectTextTrack(texts()[at]),
      hurry: () => player.configure({ streaming: { bufferingGoal: ALL } }),
      close: () => player.destroy(),
    };
  },

  async "dash.js"(video, url, says) {
    const player = dashjs.MediaPlayer().create();
    const keep = (seconds) => ({
      streaming: {
        // Where it stalls near the end it goes to the end, or by default to half a second before, and stays there.
        seekDurationBackoff: 0,
        buffer: {
          bufferTimeDefault: seconds,
          bufferTimeAtTopQuality: seconds,
          bufferTimeAtTopQualityLongForm: seconds,
        },
      },
    });
    const events = dashjs.MediaPlayer.events;
    player.updateSettings(keep(LITTLE));
    player.on(events.ERROR, ({ error }) => says(`${error.code} ${error.message}`));
    player.on(events.PLAYBACK_ERROR, ({ error }) => says(`playback ${error?.message}`));
    let ended = false;
    player.on(events.PLAYBACK_ENDED, () => (ended = true));
    player.on(events.PLAYBACK_SEEKING, () => (ended = false));
    player.initialize(video, url, false);
    await until("dash.js to know the film", () => player.isReady() && player.getActiveStream()?.getStreamInfo());
    await until("dash.js to know its tracks", () => player.getTracksFor("audio").length + player.getTracksFor("video").length);
    const sounds = () => player.getTracksFor("audio");
    const texts = () => player.getTracksFor("text");
    const sizes = () => player.getRepresentationsByType("video");
    return {
      sounds: () => sounds().map(({ lang }) => lang),
      chooseSound: (at) => player.setCurrentTrack(sounds()[at]),
      sizes: () => sizes().map(({ height }) => height),
      chooseSize: (at) => {
        player.updateSettings({ streaming: { abr: { autoSwitchBitrate: { video: false } } } });
        player.setRepresentationForTypeById("video", sizes()[at].id, true);
      },
      texts: () => texts().map(({ lang }) => lang),
      chooseText: (at) => player.setTextTrack(at),
      hurry: () => player.updateSettings(keep(ALL)),
      ended: () => ended, // it pauses there, and the element need not have come to its own end
      close: () => player.destroy(),
    };
  },

  async native(video, url) {
    video.src = url;
    await until("the browser to know the film", () => video.readyState >= 1 || video.error);
    const sounds = () => [...(video.audioTracks ?? [])];
    return {
      sounds: () => sounds().map(({ language }) => language),
      chooseSound: (at) => sounds().forEach((each, number) => (each.enabled = number === at)),
      sizes: () => [],
      texts: () => [...video.textTracks].map(({ language }) => language),
      chooseText: (at) => ([...video.textTracks][at].mode = "showing"),
      hurry: () => undefined,
      close: () => {
        video.removeAttribute("src");
        video.load();
      },
    };
  },
};

/** What the element has, in seconds. */
const ranges = (buffered) => [...Array(buffered.length).keys()].map((at) => [buffered.start(at), buffered.end(at)]);

/** Seconds of film at hand from where it is. */
function ahead(video) {
  const found = ranges(video.buffered).find(([from, end]) => from <= video.currentTime && video.currentTime <= end);
  return found === undefined ? 0 : found[1] - video.currentTime;
}

/** The loudest frequency that is heard, in hertz; 0 for silence. */
function listen(analyser) {
  const loudness = new Float32Array(analyser.frequencyBinCount);
  analyser.getFloatFrequencyData(loudness);
  const loudest = loudness.indexOf(Math.max(...loudness));
  return loudness[loudest] > -60 ? (loudest * analyser.context.sampleRate) / analyser.fftSize : 0;
}

/** An element that plays into an analyser; what it answers closes both. */
function stage(fftSize) {
  const video = document.body.appendChild(document.createElement("video"));
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize, smoothingTimeConstant: 0 });
  context.createMediaElementSource(video).connect(analyser).connect(context.destination);
  const leave = async () => {
    video.remove();
    await context.close();
  };
  return { video, analyser, leave };
}

/**
 * Plays the film at `url` from the beginning, seeks forwards and back, lets every sound, size and text be chosen, and
 * plays to the end. `hertz` are the frequencies of its sounds, 0 for one that is not to be chosen,
 * `back` is the share of it to which the second seek leads.
 */
async function watch(player, url, { hertz = [], back = 0.2 }) {
  const { video, analyser, leave } = stage(8192);
  const report = { complaints: [], heard: [], lines: [], cues: [], seeks: [] };
  const says = (text) => report.complaints.push(text);
  video.addEventListener("error", () => says(`element: ${video.error?.code} ${video.error?.message}`));
  const goesOn = (from) =>
    until(`it to go on after ${from}`, () => !video.seeking && video.currentTime > from + 0.2);
  const seek = async (to) => {
    report.seeks.push(ranges(video.buffered).some(([from, end]) => from <= to && to < end));
    video.currentTime = to;
    await goesOn(to);
  };
  let driven;
  try {
    driven = await PLAYERS[player](video, url, says);
    await video.play();
    await goesOn(0);
    report.duration = video.duration;
    await seek(0.8 * video.duration);
    await seek(back * video.duration);
    report.sounds = driven.sounds();
    for (const [at, each] of [...hertz.entries()].reverse()) {
      if (each === 0) continue;
      if (report.sounds.length > 1) driven.chooseSound(at);
      await until(`${each} Hz`, () => Math.abs(listen(analyser) - each) < 12);
      report.heard.push(each);
    }
    report.sizes = driven.sizes();
    for (const [at, height] of report.sizes.length > 1 ? report.sizes.entries() : []) {
      driven.chooseSize(at);
      await seek((0.1 + 0.4 * at) * video.duration);
      await until(`${height} lines`, () => video.videoHeight === height);
      report.lines.push(video.videoHeight);
    }
    report.texts = driven.texts();
    for (const at of report.texts.keys()) {
      driven.chooseText(at);
      const cues = () => [...video.textTracks].filter(({ mode }) => mode !== "disabled").flatMap(({ activeCues }) => [...(activeCues ?? [])]);
      const known = report.cues.length;
      const fresh = await until("a text", () => cues().find(({ text }) => !report.cues.includes(text)));
      report.cues[known] = fresh.text;
    }
    driven.hurry();
    await seek(0.5 * video.duration);
    const rest = () => ranges(video.buffered).find(([from, end]) => from <= video.currentTime && end > video.duration - 0.1);
    report.whole = player === "native" || (await until("all that follows", rest));
    video.playbackRate = 4;
    await until("the end", () => video.ended || driven.ended?.());
    report.at = video.currentTime;
    report.frames = video.getVideoPlaybackQuality().totalVideoFrames;
  } catch (error) {
    says(`${error}; it is at ${video.currentTime} of ${JSON.stringify(ranges(video.buffered))}`);
  }
  await driven?.close();
  await leave();
  return report;
}

/** When a sound is heard that begins after `from` seconds, and what is there before that. */
async function beep(player, url, { from }) {
  const { video, analyser, leave } = stage(1024);
  const report = { complaints: [] };
  const says = (text) => report.complaints.push(text);
  let driven;
  try {
    driven = await PLAYERS[player](video, url, says);
    await video.play();
    await until("it to begin", () => !video.seeking && video.currentTime > 0.1);
    report.begins = ranges(video.buffered)[0][0];
    video.currentTime = from;
    await until("it to seek", () => !video.seeking && video.currentTime > from);
    const wave = new Float32Array(analyser.fftSize);
    report.onset = await until("a sound", () => {
      analyser.getFloatTimeDomainData(wave);
      return Math.max(...wave) > 0.03 && video.currentTime;
    });
  } catch (error) {
    says(`${error}; it is at ${video.currentTime}`);
  }
  await driven?.close();
  await leave();
  return report;
}

/** Does that for all `asked`, a few at a time. */
async function all(action, player, asked, together) {
  const left = Object.entries(asked);
  const reports = {};
  const work = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const [name, [url, wanted]] = next;
      reports[name] = await action(player, url, wanted);
    }
  };
  await Promise.all([...Array(together)].map(work));
  return reports;
}
