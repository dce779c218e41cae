#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void reverse(char *s)
{
    for (char *end = s + strlen(s); end-- > s; s++) {
        char t = *s;
        *s = *end;
        *end = t;
    }
}

int is_palindrome(const char *s)
{
    const char *end = s + strlen(s) - 1;
    for (; s < end; s++, end--) {
        while (s < end && !isalpha((unsigned char)*s))
            s++;
        while (s < end && !isalpha((unsigned char)*end))
            end--;
        if (tolower((unsigned char)*s) != tolower((unsigned char)*end))
            return 0;
    }
    return 1;
}

size_t my_strlen(const char s[])
{
    size_t n = 0;
    while (s[n])
        n++;
    return n;
}

char *my_strcpy(char *to, const char *from) /* a result that is a pointer */
{
    char *start = to;
    while ((*to++ = *from++))
        ;
    return start;
}

int to_roman(int n, char *out)
{
    static const struct {
        int value;
        const char *letters;
    } parts[] = {{1000, "M"}, {900, "CM"}, {500, "D"}, {400, "CD"}, {100, "C"}, {90, "XC"}, {50, "L"},
                 {40, "XL"},  {10, "X"},   {9, "IX"},  {5, "V"},    {4, "IV"},  {1, "I"}};
    *out = '\0';
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        for (; n >= parts[i].value; n -= parts[i].value)
            strcat(out, parts[i].letters);
    return (int)strlen(out);
}

int words(char *text)
{
    int count = 0;
    for (char *word = strtok(text, " ,."); word; word = strtok(NULL, " ,."))
        printf("%d %s\n", ++count, word);
    return count;
}

void counts(const unsigned char *text, unsigned histogram[256])
{
    for (; *text; text++)
        histogram[*text]++;
}

long parse(const char *s, int base) { return strtol(s, NULL, base); }

#ifdef MAIN
#include "show.h"
int main(void)
{
    char text[] = "stressed", roman[20] = "", sentence[] = "to be, or not to be.";
    static unsigned histogram[256];
    reverse(text);
    show_bytes(text, sizeof text);
    show_int(is_palindrome("A man, a plan, a canal: Panama!"));
    show_int(is_palindrome("no"));
    show_uint(my_strlen("\xc3\xa4 umlaut"));
    show_int(to_roman(1994, roman));
    show_bytes(roman, sizeof roman);
    show_int(words(sentence));
    show_bytes(sentence, sizeof sentence);
    counts((const unsigned char *)"\xff\xff a", histogram);
    show_uint(histogram[255]);
    show_uint(histogram['a']);
    show_int(parse("-0x7fffffffffff", 16));
}
#endif
