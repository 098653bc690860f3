import { usePage, useView } from "../hooks/contexts";
import { THEMES, type Theme, useTheme } from "../hooks/use-theme";

const THEME_NAMES: Readonly<Record<Theme, string>> = { system: "System", light: "Light", dark: "Dark" };

export function Masthead() {
  const { view } = useView();
  const { change, announce } = usePage();
  const [theme, setTheme] = useTheme();
  const copyLink = (): void => {
    void copyText(location.href).then((done) =>
      announce(done ? "Link to this view copied." : `Copy this address: ${location.href}`),
    );
  };
  return (
    <header className="masthead">
      <div className="masthead-title">
        <h1>{import.meta.env.VITE_TITLE}</h1>
        <p>How are we doing?</p>
      </div>
      <div className="masthead-tools">
        <label className="checkbox">
          <input type="checkbox" checked={view.iso} onChange={() => change({ iso: !view.iso })} /> ISO dates
        </label>
        <label className="theme-select">
          <span className="visually-hidden">Theme</span>
          <select value={theme} onChange={(event) => setTheme(event.currentTarget.value as Theme)}>
            {THEMES.map((name) => (
              <option key={name} value={name}>
                {THEME_NAMES[name]}
              </option>
            ))}
          </select>
        </label>
        <button type="button" className="button" onClick={copyLink}>
          Copy link
        </button>
      </div>
    </header>
  );
}

/** Copies text to the clipboard; returns false if the browser does not allow it. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
