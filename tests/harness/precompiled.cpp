// Only so that there is something to compile the headers for.
int main() {
  return 0;
}
