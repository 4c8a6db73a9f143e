import { beforeEach, expect, it } from "vitest";
import type { VideoDetails } from "../api/client";
import { saveGuestPlayhead, withGuestPlayhead } from "./guest-playheads";

const details = (id: string) => ({ id, playhead: null }) as unknown as VideoDetails;

beforeEach(() => localStorage.clear());

it("keeps the last position of each video", () => {
  saveGuestPlayhead("one", 10, 100);
  saveGuestPlayhead("two", 20.4, 200);
  saveGuestPlayhead("one", 30, 100);
  expect(withGuestPlayhead(details("one")).playhead).toMatchObject({ position: 30, duration: 100, watched: false });
  expect(withGuestPlayhead(details("two")).playhead).toMatchObject({ position: 20, duration: 200 });
  expect(withGuestPlayhead(details("three")).playhead).toBeNull();
});

it("forgets the oldest of more than 200", () => {
  for (let number = 0; number <= 200; number++) saveGuestPlayhead(`v${number}`, 1, 2);
  expect(withGuestPlayhead(details("v0")).playhead).toBeNull();
  expect(withGuestPlayhead(details("v1")).playhead).not.toBeNull();
});

it.each(["no JSON", "null", "{}", '[["a"]]', '[["a", 1, null, 3]]', '[[1, 2, 3, 4]]', '[["a", -1, 2, 3]]'])(
  "ignores what it did not write: %s",
  (text) => {
    localStorage.setItem("trio-stream.playheads", text);
    expect(withGuestPlayhead(details("a")).playhead).toBeNull();
    saveGuestPlayhead("a", 5, 6);
    expect(withGuestPlayhead(details("a")).playhead).toMatchObject({ position: 5 });
  },
);
