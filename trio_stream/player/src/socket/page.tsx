export default function SocketPage({ id }: { id: string }) {
  return <p>{id}</p>;
}
