import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, describe, expect, it } from "vitest";
import { Language } from "../i18n";
import { nameOf, Versions } from "./versions";

afterEach(cleanup);

const version = (id: string, height: number | null, name = `a/${id}.mp4`) => ({
  id,
  name,
  height,
  width: null,
  size: 2_000_000,
  leads: id === "1",
});
const large = version("1", 1080);
const small = version("2", 480);

describe("versions", () => {
  const show = (versions: (typeof large)[]) =>
    render(
      <Language>
        <Versions id="2" versions={versions} />
      </Language>,
    );

  it("link to each other, and mark the current one", () => {
    show([large, small]);
    const links = screen.getAllByRole("link");
    expect(links.map((link) => link.getAttribute("href"))).toEqual(["/watch/1", "/watch/2"]);
    expect(links.map((link) => link.getAttribute("aria-current"))).toEqual([null, "page"]);
    expect(links[0]?.textContent).toMatch(/^1080p · /);
    expect(screen.getByRole("navigation", { name: "Versions" })).toBeTruthy();
  });

  it("are not listed if there is only one", () => {
    show([]);
    expect(screen.queryByRole("navigation")).toBeNull();
  });

  it.each([
    ["its height", large, [large, small], "1080p"],
    ["its file name, if two have the same height", large, [large, version("3", 1080)], "1.mp4"],
    ["its path, if two have the same file name", large, [large, version("3", 1080, "b/1.mp4")], "a/1.mp4"],
    ["its file name, if the height is unknown", version("4", null), [large], "4.mp4"],
  ])("are named by %s", (_, one, all, name) => {
    expect(nameOf(one, all)).toBe(name);
  });
});
