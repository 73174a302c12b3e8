/// How a report looks, in the light and in the dark, on a wide window and on a narrow one.
enum ReportStyle {
    static let sheet: StaticString = """
        :root {
          color-scheme: light dark;
          --page: #f6f7f9; --card: #ffffff; --text: #1c2430; --quiet: #5b6675; --line: #dde2e9; --rail: #e9edf2;
          --accent: #2f6fde; --strong: #1d4fa8; --good: #1a7f4b; --warn: #a15c00; --bad: #b3261e;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --page: #12161c; --card: #1b212a; --text: #e6eaf0; --quiet: #9aa5b4; --line: #303947; --rail: #28303c;
            --accent: #6ea3ff; --strong: #b3cdff; --good: #57c98c; --warn: #f0b050; --bad: #ff8a80;
          }
        }
        * { box-sizing: border-box; }
        body {
          margin: 0; background: var(--page); color: var(--text);
          font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
        }
        main { max-width: 1080px; margin: 0 auto; padding: 24px 16px 48px; }
        header { display: flex; flex-wrap: wrap; align-items: center; gap: 8px 14px; margin-bottom: 16px; }
        h1 { font-size: 22px; margin: 0; overflow-wrap: anywhere; }
        h2 { font-size: 15px; margin: 0 0 12px; }
        section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 16px; margin: 0 0 16px; }
        .badge { border: 1px solid currentColor; border-radius: 99px; padding: 1px 10px; font-size: 13px; }
        .complete.badge { color: var(--good); }
        .partial.badge, .superseded.badge, .interrupted.badge { color: var(--warn); }
        .failed.badge { color: var(--bad); }
        .figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: 14px; }
        .figure strong { display: block; font-size: 20px; font-variant-numeric: tabular-nums; }
        .figure span, .note, footer { color: var(--quiet); font-size: 13px; }
        ul { margin: 0; padding-left: 20px; overflow-wrap: anywhere; }
        .failures b, .failures li::marker { color: var(--bad); }
        .warnings li::marker { color: var(--warn); }
        .charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(280px, 1fr)); gap: 20px; }
        figure { margin: 0; }
        figcaption { font-size: 13px; color: var(--quiet); }
        figure svg { width: 100%; height: auto; display: block; }
        svg text { fill: var(--quiet); font-size: 12px; }
        svg rect { fill: var(--accent); }
        svg rect.rail { fill: var(--rail); }
        rect.point { opacity: 0.65; }
        rect.current { fill: var(--strong); opacity: 1; }
        rect.partial { fill: var(--warn); }
        rect.superseded { fill: var(--quiet); }
        .axis { stroke: var(--line); }
        .bar { display: grid; grid-template-columns: minmax(0, 2fr) 3fr 90px; gap: 12px; align-items: center; padding: 2px 0; }
        .bar bdi { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
        .bar span { text-align: right; font-variant-numeric: tabular-nums; font-size: 13px; }
        .scroll { overflow-x: auto; }
        .graph { display: block; }
        .graph .box rect { fill: var(--page); stroke: var(--line); }
        .graph .box text { fill: var(--text); }
        .graph .key { fill: none; stroke: var(--accent); stroke-width: 1.2; opacity: 0.7; }
        .graph .weak { stroke-dasharray: 4 3; }
        .graph marker path { fill: var(--accent); }
        .note { margin: 10px 0 0; }
        table { border-collapse: collapse; width: 100%; font-size: 13px; }
        th, td { padding: 5px 10px; border-bottom: 1px solid var(--line); vertical-align: top; }
        th { color: var(--quiet); font-weight: 500; white-space: nowrap; }
        .text { text-align: left; }
        .number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
        td.text { min-width: 140px; overflow-wrap: anywhere; }
        td.path { color: var(--quiet); min-width: 260px; }
        dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 4px 18px; margin: 0; }
        dt { color: var(--quiet); }
        dd { margin: 0; overflow-wrap: anywhere; }
        @media (max-width: 560px) {
          .bar { grid-template-columns: minmax(0, 1fr) 90px; }
          .bar svg { grid-column: 1 / -1; grid-row: 2; }
          dl { grid-template-columns: minmax(0, 1fr); }
          dd { margin-bottom: 6px; }
        }
        """
}
