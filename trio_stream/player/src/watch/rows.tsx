/** A list of names and values, one pair per row. */

export function Rows({ className, rows }: { className: string; rows: readonly (readonly [name: string, value: string])[] }) {
  return (
    <dl className={className}>
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
