// a counter
class Counter {
public:
    int next() { return ++count; }

private:
    int count = 0;
};
