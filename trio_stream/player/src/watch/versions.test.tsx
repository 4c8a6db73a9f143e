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

  it("lead to each other, and say which one this is", () => {
    show([large, small]);
    const links = screen.getAllByRole("link");
    expect(links.map((link) => link.getAttribute("href"))).toEqual(["/watch/1", "/watch/2"]);
    expect(links.map((link) => link.getAttribute("aria-current"))).toEqual([null, "page"]);
    expect(links[0]?.textContent).toMatch(/^1080p · /);
    expect(screen.getByRole("navigation", { name: "Versions" })).toBeTruthy();
  });

  it("are not spoken of where there is one", () => {
    show([]);
    expect(screen.queryByRole("navigation")).toBeNull();
  });

  it.each([
    ["its height", large, [large, small], "1080p"],
    ["its file, where two have one height", large, [large, version("3", 1080)], "1.mp4"],
    ["its path, where two have one file name", large, [large, version("3", 1080, "b/1.mp4")], "a/1.mp4"],
    ["its file, where the height is not known", version("4", null), [large], "4.mp4"],
  ])("are called by %s", (_, one, all, name) => {
    expect(nameOf(one, all)).toBe(name);
  });
});
