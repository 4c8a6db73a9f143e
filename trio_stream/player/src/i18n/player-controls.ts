/** Strings of the Video.js controls that we replace: "subtitles" for "captions", "video" for "media", better Portuguese. */

import type { Language } from "./index";

interface Strings {
  readonly [key: string]: string | Strings;
}

export const PLAYER_CONTROLS: Record<Language, Strings> = {
  en: {
    seek: { forward: "Forward {seconds} seconds", backward: "Back {seconds} seconds" },
    fullscreen: { enter: "Enter full screen", exit: "Exit full screen" },
    captions: { enable: "Turn on subtitles", disable: "Turn off subtitles" },
    time: {
      remaining: "Time remaining",
      toggleElapsed: "Switch between time elapsed and time remaining.",
      toggleDuration: "Switch between duration and time remaining.",
      unknown: "Video not loaded, duration unknown.",
    },
    playback: { rate: "Playback speed {rate}" },
    container: { label: "Video player" },
    menu: { captions: "Subtitles", playbackRate: "Playback speed" },
    status: {
      captionsOn: "Subtitles on",
      captionsOff: "Subtitles off",
      fullscreen: "Full screen",
      pip: "Picture-in-picture",
      exitPip: "Picture-in-picture off",
      seekedTo: "Moved to {time}",
    },
    errors: {
      aborted: "Playback stopped before the end.",
      network: "Couldn't load the video because of a network or server problem.",
      decode: "Couldn't play the video. It may be damaged, or your browser may not support its format.",
      source: "Couldn't load the video. It may be unavailable, or your browser may not support its format.",
      encrypted: "Couldn't play the video because it's encrypted.",
      unplayable: "The player doesn't support this video.",
    },
  },
  "pt-BR": {
    buttons: { play: "Reproduzir", replay: "Reproduzir novamente", mute: "Desativar som", unmute: "Ativar som" },
    seek: { backward: "Voltar {seconds} segundos" },
    fullscreen: { enter: "Tela cheia" },
    pip: { enter: "Picture-in-picture", exit: "Sair do picture-in-picture" },
    slider: { seek: "Posição" },
    time: {
      current: "Tempo atual",
      remaining: "Tempo restante",
      elapsedSuffix: "{duration} decorridos",
      toggleElapsed: "Alternar entre tempo decorrido e tempo restante.",
      toggleDuration: "Alternar entre duração e tempo restante.",
      unknown: "Vídeo não carregado, duração desconhecida.",
    },
    volume: { mutedValue: "{percent}, sem som", muted: "Sem som", label: "Volume", value: "Volume {value}" },
    status: { pip: "Picture-in-picture", exitPip: "Picture-in-picture desativado" },
    container: { label: "Player de vídeo" },
    menu: { auto: "Automática", autoWithLabel: "Automática ({label})", off: "Desativadas" },
    errors: {
      aborted: "A reprodução foi interrompida antes do fim.",
      network: "Não foi possível carregar o vídeo por causa de um problema na rede ou no servidor.",
      decode:
        "Não foi possível reproduzir o vídeo. Ele pode estar danificado, ou seu navegador pode não ser compatível com o formato.",
      source:
        "Não foi possível carregar o vídeo. Ele pode estar indisponível, ou seu navegador pode não ser compatível com o formato.",
      encrypted: "Não foi possível reproduzir o vídeo porque ele está criptografado.",
      unplayable: "O player não é compatível com este vídeo.",
      unexpected: "Ocorreu um erro inesperado.",
    },
    common: { ok: "OK" },
  },
};
