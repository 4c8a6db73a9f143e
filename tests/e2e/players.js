/**
 * Drivers for other players, all with the same interface: what a viewer does with a film, and which errors occur.
 *
 * `watch` uses every feature, `beep` measures when a tone begins. Both return a report. They wait for conditions, each
 * with a deadline. Failures are listed in the `errors` of the report.
 */
"use strict";

const DEADLINE = 30; // seconds
const POLL_INTERVAL = 10; // milliseconds
const SHORT_BUFFER = 4; // seconds of film that a player buffers, so that a seek leads outside the buffer
const FULL_BUFFER = 600;
const STALLS = ["bufferStalledError", "bufferNudgeOnStall"];

async function until(what, poll) {
  const end = performance.now() + DEADLINE * 1000;
  for (;;) {
    const result = await poll();
    if (result) return result;
    if (performance.now() > end) throw new Error(`waited ${DEADLINE} s for ${what}`);
    await new Promise((wake) => setTimeout(wake, POLL_INTERVAL));
  }
}

/**
 * All drivers have the same interface: `audioLanguages`, `heights` and `subtitleLanguages` list the choices, `choose…`
 * takes one by its index, and `bufferAll` lets the player buffer the rest of the film. `ended`, if there is one, returns
 * whether it has reached the end. `onError` is called with each error.
 */
const PLAYERS = {
  async "hls.js"(video, url, onError) {
    const hls = new Hls({ enableWorker: false, maxBufferLength: SHORT_BUFFER, maxMaxBufferLength: SHORT_BUFFER });
    hls.on(Hls.Events.ERROR, (_, { details, fatal, error }) => {
      // With more than half a second buffered, the machine is slow, and nothing is missing from the film.
      if (STALLS.includes(details) && ahead(video) > 0.5) return;
      if (details === "aborted") return; // a request that a seek cancelled
      onError(`${fatal ? "fatal " : ""}${details}: ${error?.message}`);
    });
    hls.loadSource(url);
    hls.attachMedia(video);
    await until("hls.js to load the film", () => hls.levels.length > 0);
    return {
      audioLanguages: () => hls.audioTracks.map(({ lang }) => lang),
      chooseAudio: (index) => (hls.audioTrack = index),
      heights: () => hls.levels.map(({ height }) => height),
      chooseHeight: (index) => (hls.nextLevel = index),
      subtitleLanguages: () => hls.subtitleTracks.map(({ lang }) => lang),
      chooseSubtitles: (index) => (hls.subtitleTrack = index),
      bufferAll: () => Object.assign(hls.config, { maxBufferLength: FULL_BUFFER, maxMaxBufferLength: FULL_BUFFER }),
      close: () => hls.destroy(),
    };
  },

  async shaka(video, url, onError) {
    const player = new shaka.Player();
    await player.attach(video);
    player.addEventListener("error", ({ detail }) => onError(`error ${detail.code} ${detail.data}`));
    player.configure({ streaming: { bufferingGoal: SHORT_BUFFER, rebufferingGoal: 0.1 } });
    await player.load(url);
    const subtitles = () => player.getTextTracks();
    const heights = () => [...new Set(player.getVariantTracks().map(({ height }) => height))].sort((a, b) => a - b);
    return {
      audioLanguages: () => player.getAudioTracks().map(({ language }) => language),
      chooseAudio: (index) => player.selectAudioTrack(player.getAudioTracks()[index]),
      heights,
      chooseHeight: (index) => {
        player.configure({ abr: { enabled: false } });
        const current = player.getVariantTracks().find(({ active }) => active);
        const wanted = player
          .getVariantTracks()
          .find(({ height, language }) => height === heights()[index] && language === current.language);
        player.selectVariantTrack(wanted, true);
      },
      subtitleLanguages: () => subtitles().map(({ language }) => language),
      chooseSubtitles: (index) => player.selectTextTrack(subtitles()[index]),
      bufferAll: () => player.configure({ streaming: { bufferingGoal: FULL_BUFFER } }),
      close: () => player.destroy(),
    };
  },

  async "dash.js"(video, url, onError) {
    const player = dashjs.MediaPlayer().create();
    const bufferSettings = (seconds) => ({
      streaming: {
        // If it stalls near the end, it seeks to the end; by default to half a second before it, and stays there.
        seekDurationBackoff: 0,
        buffer: {
          bufferTimeDefault: seconds,
          bufferTimeAtTopQuality: seconds,
          bufferTimeAtTopQualityLongForm: seconds,
        },
      },
    });
    const events = dashjs.MediaPlayer.events;
    player.updateSettings(bufferSettings(SHORT_BUFFER));
    player.on(events.ERROR, ({ error }) => onError(`${error.code} ${error.message}`));
    player.on(events.PLAYBACK_ERROR, ({ error }) => onError(`playback ${error?.message}`));
    let ended = false;
    player.on(events.PLAYBACK_ENDED, () => (ended = true));
    player.on(events.PLAYBACK_SEEKING, () => (ended = false));
    player.initialize(video, url, false);
    await until("dash.js to load the film", () => player.isReady() && player.getActiveStream()?.getStreamInfo());
    await until("dash.js to load the tracks", () => player.getTracksFor("audio").length + player.getTracksFor("video").length);
    const audio = () => player.getTracksFor("audio");
    const subtitles = () => player.getTracksFor("text");
    const representations = () => player.getRepresentationsByType("video");
    return {
      audioLanguages: () => audio().map(({ lang }) => lang),
      chooseAudio: (index) => player.setCurrentTrack(audio()[index]),
      heights: () => representations().map(({ height }) => height),
      chooseHeight: (index) => {
        player.updateSettings({ streaming: { abr: { autoSwitchBitrate: { video: false } } } });
        player.setRepresentationForTypeById("video", representations()[index].id, true);
      },
      subtitleLanguages: () => subtitles().map(({ lang }) => lang),
      chooseSubtitles: (index) => player.setTextTrack(index),
      bufferAll: () => player.updateSettings(bufferSettings(FULL_BUFFER)),
      ended: () => ended, // it pauses at the end, where the element may not have ended
      close: () => player.destroy(),
    };
  },

  async native(video, url) {
    video.src = url;
    await until("the browser to load the film", () => video.readyState >= 1 || video.error);
    const audio = () => [...(video.audioTracks ?? [])];
    return {
      audioLanguages: () => audio().map(({ language }) => language),
      chooseAudio: (index) => audio().forEach((track, number) => (track.enabled = number === index)),
      heights: () => [],
      subtitleLanguages: () => [...video.textTracks].map(({ language }) => language),
      chooseSubtitles: (index) => ([...video.textTracks][index].mode = "showing"),
      bufferAll: () => undefined,
      close: () => {
        video.removeAttribute("src");
        video.load();
      },
    };
  },
};

/** The buffered ranges, in seconds. */
const ranges = (buffered) => [...Array(buffered.length).keys()].map((index) => [buffered.start(index), buffered.end(index)]);

/** Seconds of film that are buffered after the current position. */
function ahead(video) {
  const range = ranges(video.buffered).find(([from, end]) => from <= video.currentTime && video.currentTime <= end);
  return range === undefined ? 0 : range[1] - video.currentTime;
}

/** The loudest frequency in hertz; 0 for silence. */
function loudestFrequency(analyser) {
  const loudness = new Float32Array(analyser.frequencyBinCount);
  analyser.getFloatFrequencyData(loudness);
  const loudest = loudness.indexOf(Math.max(...loudness));
  return loudness[loudest] > -60 ? (loudest * analyser.context.sampleRate) / analyser.fftSize : 0;
}

/** Create a video element that plays into an analyser. `leave` removes both. */
function createStage(fftSize) {
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
 * Play the film at `url` from the beginning, seek forwards and back, choose each audio track, size and subtitle track,
 * and play to the end. `hertz` has the frequency of each audio track, or 0 for one that is not chosen. `back` is the
 * target of the second seek, as a fraction of the duration.
 */
async function watch(player, url, { hertz = [], back = 0.2 }) {
  const { video, analyser, leave } = createStage(8192);
  const report = { errors: [], tones: [], shownHeights: [], cues: [], seekWasBuffered: [] };
  const onError = (text) => report.errors.push(text);
  video.addEventListener("error", () => onError(`element: ${video.error?.code} ${video.error?.message}`));
  const playsOn = (from) =>
    until(`playback to continue after ${from}`, () => !video.seeking && video.currentTime > from + 0.2);
  const seek = async (to) => {
    report.seekWasBuffered.push(ranges(video.buffered).some(([from, end]) => from <= to && to < end));
    video.currentTime = to;
    await playsOn(to);
  };
  let driver;
  try {
    driver = await PLAYERS[player](video, url, onError);
    await video.play();
    await playsOn(0);
    report.duration = video.duration;
    await seek(0.8 * video.duration);
    await seek(back * video.duration);
    report.audioLanguages = driver.audioLanguages();
    for (const [index, frequency] of [...hertz.entries()].reverse()) {
      if (frequency === 0) continue;
      if (report.audioLanguages.length > 1) driver.chooseAudio(index);
      await until(`${frequency} Hz`, () => Math.abs(loudestFrequency(analyser) - frequency) < 12);
      report.tones.push(frequency);
    }
    report.heights = driver.heights();
    for (const [index, height] of report.heights.length > 1 ? report.heights.entries() : []) {
      driver.chooseHeight(index);
      await seek((0.1 + 0.4 * index) * video.duration);
      await until(`a height of ${height}`, () => video.videoHeight === height);
      report.shownHeights.push(video.videoHeight);
    }
    report.subtitleLanguages = driver.subtitleLanguages();
    for (const index of report.subtitleLanguages.keys()) {
      driver.chooseSubtitles(index);
      const cues = () => [...video.textTracks].filter(({ mode }) => mode !== "disabled").flatMap(({ activeCues }) => [...(activeCues ?? [])]);
      const cue = await until("a cue", () => cues().find(({ text }) => !report.cues.includes(text)));
      report.cues.push(cue.text);
    }
    driver.bufferAll();
    await seek(0.5 * video.duration);
    const rest = () => ranges(video.buffered).find(([from, end]) => from <= video.currentTime && end > video.duration - 0.1);
    report.bufferedToEnd = player === "native" || (await until("the rest to be buffered", rest));
    video.playbackRate = 4;
    await until("the end", () => video.ended || driver.ended?.());
    report.position = video.currentTime;
    report.frames = video.getVideoPlaybackQuality().totalVideoFrames;
  } catch (error) {
    onError(`${error}; the position is ${video.currentTime} of ${JSON.stringify(ranges(video.buffered))}`);
  }
  await driver?.close();
  await leave();
  return report;
}

/** Measure when a tone begins after a seek to `from` seconds, and where the buffer begins before it. */
async function beep(player, url, { from }) {
  const { video, analyser, leave } = createStage(1024);
  const report = { errors: [] };
  const onError = (text) => report.errors.push(text);
  let driver;
  try {
    driver = await PLAYERS[player](video, url, onError);
    await video.play();
    await until("playback to begin", () => !video.seeking && video.currentTime > 0.1);
    report.begins = ranges(video.buffered)[0][0];
    video.currentTime = from;
    await until("the seek to end", () => !video.seeking && video.currentTime > from);
    const wave = new Float32Array(analyser.fftSize);
    report.onset = await until("a tone", () => {
      analyser.getFloatTimeDomainData(wave);
      return Math.max(...wave) > 0.03 && video.currentTime;
    });
  } catch (error) {
    onError(`${error}; the position is ${video.currentTime}`);
  }
  await driver?.close();
  await leave();
  return report;
}

/** Run `action` for all films, a few at a time. */
async function runAll(action, player, films, concurrent) {
  const queue = Object.entries(films);
  const reports = {};
  const worker = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [name, [url, options]] = next;
      reports[name] = await action(player, url, options);
    }
  };
  await Promise.all([...Array(concurrent)].map(worker));
  return reports;
}
